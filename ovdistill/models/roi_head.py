"""RoI head with region-word alignment, and with the branch that embeds distillation regions.

Shapes: N images, R RoIs, P distillation regions, D embedding width, W class names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi, scale_boxes
from mmdet.utils import ConfigType, InstanceList
from mmengine.structures import InstanceData
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs, DistillRegions, SampledRoIs
from ovdistill.distillation.gather import gather_captions, gather_regions, region_rois
from ovdistill.distillation.term import DistillationTerms
from ovdistill.distillation.vild.loss import ensemble_log_scores
from ovdistill.models.image_level import is_image_level, of_labelled
from ovdistill.models.region_word_loss import RegionWordLoss, check_pair
from ovdistill.models.second_look import SecondLookRoIHead
from ovdistill.vocabulary import Vocabulary

# of ``DistillInputs``, which it can fill for terms
PARTS = ("regions", "overlap", "captions", "rois")
# (R, 4) xyxy boxes in pixels of the network input, (R,) image index, (W, D) text embeddings
# -> (R, W) log-scores
CropScores = Callable[[Tensor, Tensor, Tensor], Tensor]


@MODELS.register_module()
class OpenVocabularyRoIHead(SecondLookRoIHead):
    """mmdet's standard RoI head with region-word alignment and distillation.

    Args:
        *args: as for mmdet's ``StandardRoIHead``.
        image_head: config of a second box head (``with_reg=False``) that is trained by the
            distillation regions alone: ViLD-ensemble. Without it they train the one head: ViLD.
        text_share: exponent of the text head for base classes in the ensemble, 2/3 in ViLD.
        fixed_share: exponent of the text head for all classes, base or novel, in place of
            ``text_share``; for transfer to other data (0.6 in DetPro).
        distillers: configs of the distillation terms; all get the same ``DistillInputs``.
        **kwargs: as for mmdet's ``StandardRoIHead``.

    Raises:
        UserError: a loss that is not of its head, or see ``DistillationTerms``, ``read_settings``.
    """

    def __init__(
        self,
        *args: Any,
        image_head: ConfigType | None = None,
        text_share: float = 2 / 3,
        fixed_share: float | None = None,
        distillers: Sequence[ConfigType] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.image_head = MODELS.build(image_head) if image_head else None
        self.text_share = text_share
        self.fixed_share = fixed_share
        for head in filter(None, (self.bbox_head, self.image_head)):
            check_pair(head.fc_cls, head.loss_cls, RegionWordLoss)
        terms = [MODELS.build(term) for term in distillers]
        self.distillers = DistillationTerms(terms, self.embed_dim, PARTS)

    @property
    def embed_dim(self) -> int:
        """Width of the embeddings, D."""
        return self.bbox_head.fc_cls.project.out_features

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names of every head."""
        for head in filter(None, (self.bbox_head, self.image_head)):
            head.fc_cls.set_vocabulary(vocabulary)
            head.num_classes = len(vocabulary)
            head.loss_cls.set_vocabulary(vocabulary)

    def loss(
        self, x: tuple[Tensor, ...], rpn_results_list: InstanceList, batch_data_samples: SampleList
    ) -> dict[str, Tensor]:
        """Return detection losses of the sampled RoIs and distillation losses of the regions.

        On images that have labels for the whole image alone the detection losses are zero.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            rpn_results_list: proposals of each image.
            batch_data_samples: of the images.
        """
        instances, ignored, _ = unpack_gt_instances(batch_data_samples)
        extra = self.quality_loss(x, instances)
        if not len(self.distillers):
            losses = super().loss(x, rpn_results_list, batch_data_samples) | extra
            return of_labelled(losses, batch_data_samples)
        sampling_results = self._sample(x, rpn_results_list, instances, ignored)
        rois = bbox2roi([result.priors for result in sampling_results])
        results, regions = self._embed_together(x, rois, batch_data_samples)
        labels, weights, *box_targets = self.bbox_head.get_targets(sampling_results, self.train_cfg)
        sampled = SampledRoIs(
            embeddings=results["embeddings"],
            boxes=rois[:, 1:],
            image_index=rois[:, 0].long(),
            labels=labels,
        )
        inputs = self._distill_inputs(x, sampled, regions, batch_data_samples)
        weights = self.distillers.weigh_rois(weights, inputs)
        losses = self.bbox_head.loss(
            results["cls_score"], results["bbox_pred"], rois, labels, weights, *box_targets
        )
        if self.with_mask:
            features = results["bbox_feats"]
            losses |= self.mask_loss(x, sampling_results, features, instances)["loss_mask"]
        losses |= extra
        return of_labelled(losses, batch_data_samples) | self.distillers.losses(inputs)

    def _sample(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: InstanceList,
        instances: InstanceList,
        ignored: InstanceList,
    ) -> list[SamplingResult]:
        """Match the proposals of each image with its labelled objects, and draw RoIs from them."""
        results = []
        for index, proposals in enumerate(rpn_results_list):
            proposals.priors = proposals.pop("bboxes")
            assigned = self.bbox_assigner.assign(proposals, instances[index], ignored[index])
            features = [level[index][None] for level in x]
            results.append(
                self.bbox_sampler.sample(assigned, proposals, instances[index], feats=features)
            )
        return results

    def _distill_inputs(
        self,
        x: tuple[Tensor, ...],
        sampled: SampledRoIs,
        regions: DistillRegions | None,
        samples: SampleList,
    ) -> DistillInputs:
        """Collect what the terms may look at."""
        return DistillInputs(
            images=len(samples),
            texts=self.bbox_head.fc_cls.texts(),
            features=tuple(x),
            sampled=sampled,
            regions=regions,
            captions=gather_captions(samples) if "captions" in self.distillers.needs else None,
            image_level=is_image_level(samples),
        )

    def _embed_together(
        self, x: tuple[Tensor, ...], rois: Tensor, samples: SampleList
    ) -> tuple[dict[str, Tensor], DistillRegions | None]:
        """Run the box head on the sampled RoIs, and embed the distillation regions.

        Regions that train the same head pass it together with the RoIs, so that a head with
        batch normalisation has one set of statistics for both, as in ViLD's code.

        Returns:
            What ``_bbox_forward`` returns for the (R, 5) RoIs; and the regions, None if no term
            needs them.
        """
        if "regions" not in self.distillers.needs:
            return self._bbox_forward(x, rois), None
        region_boxes = region_rois(samples)
        if self.image_head is None:
            results = self._bbox_forward(x, torch.cat([rois, region_boxes]))
            student = self.bbox_head.fc_cls.for_distillation(results["outputs"][len(rois) :])
            results = {key: value[: len(rois)] for key, value in results.items()}
        else:
            results = self._bbox_forward(x, rois)
            student = self.embed_regions(x, region_boxes)
        return results, gather_regions(samples, region_boxes, student)

    def embed_regions(self, x: tuple[Tensor, ...], rois: Tensor) -> Tensor:
        """Embed regions with the head that distillation trains.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            rois: (P, 5) image index and xyxy box, absolute pixels of the network input.

        Returns:
            (P, D) unit norm.
        """
        head = self.image_head or self.bbox_head
        return head.fc_cls.for_distillation(head(self.pool(x, rois))[0])

    def _bbox_forward(self, x: tuple[Tensor, ...], rois: Tensor) -> dict[str, Tensor]:
        """Run the box head on (R, 5) RoIs.

        Returns:
            mmdet's dictionary, with logits as ``cls_score`` in training and log-scores in testing,
            both (R, W + 1), and ``embeddings`` of the RoIs: in training (R, D) for alignment, in
            testing (R, E), what ``score_embeddings`` takes. In training also ``outputs`` of the
            ``RegionWordHead``.
        """
        results = super()._bbox_forward(x, rois)
        head = self.bbox_head.fc_cls
        outputs = results["cls_score"]
        embeddings = head.for_alignment(outputs)
        if self.training:
            logits = head.align(embeddings)
            return {**results, "cls_score": logits, "embeddings": embeddings, "outputs": outputs}
        if self.image_head is not None:
            embeddings = torch.cat([embeddings, self.image_head(results["bbox_feats"])[0]], dim=1)
        return {
            **results,
            "cls_score": self.score_embeddings(embeddings),
            "embeddings": embeddings,
        }

    def embed_rois(self, x: tuple[Tensor, ...], rois: Tensor) -> dict[str, Tensor]:
        """Return what ``_bbox_forward`` returns for (R, 5) RoIs in a test."""
        return self._bbox_forward(x, rois)

    def score_embeddings(self, embeddings: Tensor) -> Tensor:
        """Return the (R, W + 1) log-scores of RoIs for the current class names.

        Args:
            embeddings: (R, E) from a test: of the one head, E = D; with an ``image_head`` those of
                both heads side by side, E = 2 D.
        """
        if self.image_head is None:
            return self.bbox_head.fc_cls.log_scores(embeddings)
        text, image = embeddings.chunk(2, dim=1)
        scores = self.bbox_head.fc_cls.log_scores(text)
        image_scores = self.image_head.fc_cls.log_scores(image)
        names = self._ensemble(scores[:, :-1], image_scores[:, :-1])
        return torch.cat([names, scores[:, -1:]], dim=1)

    def _ensemble(self, log_text: Tensor, log_image: Tensor) -> Tensor:
        """Combine the (R, W) log-scores of this head with those of another source."""
        if self.fixed_share is not None:
            return ensemble_log_scores(log_text, log_image, None, self.fixed_share)
        is_base = self.bbox_head.fc_cls.is_base
        return ensemble_log_scores(log_text, log_image, is_base, self.text_share)

    def _add_crop_scores(self, score_crops: CropScores, rois: Tensor, scores: Tensor) -> Tensor:
        """Return the (R, W + 1) log-scores of (R, 5) RoIs, combined with those of crops."""
        texts = self.bbox_head.fc_cls.text_embeddings
        crops = score_crops(rois[:, 1:], rois[:, 0].long(), texts)
        return torch.cat([self._ensemble(scores[:, :-1], crops), scores[:, -1:]], dim=1)

    def predict(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: InstanceList,
        batch_data_samples: SampleList,
        rescale: bool = False,  # noqa: FBT001, FBT002 (mmdet's signature)
        score_crops: CropScores | None = None,
    ) -> InstanceList:
        """Return detections as mmdet's head does.

        With ``test_cfg.keep_proposals`` the samples keep their proposals: ``sample.proposals`` then
        has ``bboxes`` (n, 4) xyxy in absolute pixels of the original image (of the network input
        without ``rescale``) and ``scores`` (n,).

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            rpn_results_list: proposals of each image.
            batch_data_samples: of the images.
            rescale: return boxes and masks in pixels of the original image.
            score_crops: a second source of class scores, which is combined with the head's as
                ViLD-ensemble combines its heads; see ``TeacherOnCrops``.
        """
        if self.test_cfg.get("keep_proposals", False):
            _keep_proposals(rpn_results_list, batch_data_samples, rescale=rescale)
        if score_crops is None:
            return super().predict(x, rpn_results_list, batch_data_samples, rescale=rescale)
        metas = [sample.metainfo for sample in batch_data_samples]
        # mmdet's mask branch scales boxes and masks together
        results = self.predict_bbox(
            x,
            metas,
            rpn_results_list,
            self.test_cfg,
            rescale=rescale and not self.with_mask,
            adjust=partial(self._add_crop_scores, score_crops),
        )
        if self.with_mask:
            results = self.predict_mask(x, metas, results, rescale=rescale)
        return results


def _keep_proposals(rpn_results_list: InstanceList, samples: SampleList, *, rescale: bool) -> None:
    """Store the proposals of each image in its sample, see ``OpenVocabularyRoIHead.predict``."""
    for proposals, sample in zip(rpn_results_list, samples, strict=True):
        boxes = proposals.bboxes
        if rescale:
            boxes = scale_boxes(boxes, [1 / s for s in sample.scale_factor])
        sample.proposals = InstanceData(bboxes=boxes, scores=proposals.scores)
