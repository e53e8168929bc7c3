"""RoI head whose classes are words, with the branch that distillation regions take.

Shapes: N images, R RoIs, P distillation regions, D embedding width, W words.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi, scale_boxes
from mmdet.utils import ConfigType, InstanceList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ovdistill.distillation.batch import DistillInputs, DistillRegions, SampledRoIs
from ovdistill.distillation.gather import (
    gather_captions,
    gather_regions,
    needed_parts,
    region_rois,
)
from ovdistill.distillation.term import distillation_losses
from ovdistill.distillation.vild.loss import ensemble_log_scores
from ovdistill.models.mask_boxes import MaskBoxRoIHead
from ovdistill.vocabulary import Vocabulary

# (R, 4) boxes in pixels of the network input, (R,) image index, (W, D) texts -> (R, W) log-scores
CropScores = Callable[[Tensor, Tensor, Tensor], Tensor]


@MODELS.register_module()
class OpenVocabularyRoIHead(MaskBoxRoIHead):
    """mmdet's standard RoI head with region-word alignment and distillation.

    Args:
        image_head: config of a second box head (``with_reg=False``) that only distillation
            regions train: ViLD-ensemble. Without it they train the one head: ViLD.
        text_share: exponent of the text head for base words in the ensemble, 2/3 in ViLD.
        fixed_share: exponent of the text head for every word, base or novel, in place of
            ``text_share``; for transfer to other data (0.6 in DetPro).
        distillers: configs of the distillation terms; each gets the same ``DistillInputs``.
        **kwargs: as mmdet's ``StandardRoIHead``.
    """

    def __init__(
        self,
        *args,
        image_head: ConfigType | None = None,
        text_share: float = 2 / 3,
        fixed_share: float | None = None,
        distillers: list[ConfigType] | tuple = (),
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.image_head = MODELS.build(image_head) if image_head else None
        self.text_share = text_share
        self.fixed_share = fixed_share
        self.distillers = nn.ModuleList(MODELS.build(term) for term in distillers)
        for term in self.distillers:
            term.set_width(self.bbox_head.fc_cls.project.out_features)

    @property
    def embed_dim(self) -> int:
        """Width of the embeddings, D."""
        return self.bbox_head.fc_cls.project.out_features

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replaces the words of every head."""
        for head in filter(None, (self.bbox_head, self.image_head)):
            head.fc_cls.set_vocabulary(vocabulary)
            head.num_classes = len(vocabulary)
            head.loss_cls.set_vocabulary(vocabulary)

    def loss(
        self, x: tuple[Tensor, ...], rpn_results_list: InstanceList, batch_data_samples: SampleList
    ) -> dict[str, Tensor]:
        """Return detection losses of the sampled RoIs, and distillation losses of the regions.

        Terms may weigh the RoIs of the alignment loss.
        """
        if not len(self.distillers):
            return super().loss(x, rpn_results_list, batch_data_samples)
        instances, ignored, _ = unpack_gt_instances(batch_data_samples)
        sampling_results = self._sample(x, rpn_results_list, instances, ignored)
        rois = bbox2roi([result.priors for result in sampling_results])
        results, regions = self._embed_together(x, rois, batch_data_samples)
        targets = self.bbox_head.get_targets(sampling_results, self.train_cfg)
        sampled = SampledRoIs(
            embeddings=results.pop("embeddings"),
            boxes=rois[:, 1:],
            image_index=rois[:, 0].long(),
            labels=targets[0],
        )
        inputs = self._distill_inputs(x, sampled, regions, batch_data_samples)
        losses = self._box_head_loss(results, rois, targets, inputs)
        if self.with_mask:
            features = results["bbox_feats"]
            losses |= self.mask_loss(x, sampling_results, features, instances)["loss_mask"]
        return losses | distillation_losses(self.distillers, inputs)

    def _sample(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: InstanceList,
        instances: InstanceList,
        ignored: InstanceList,
    ) -> list[SamplingResult]:
        """Match the proposals of each image with its labelled objects, and draw RoIs of them."""
        results = []
        for index, proposals in enumerate(rpn_results_list):
            proposals.priors = proposals.pop("bboxes")
            assigned = self.bbox_assigner.assign(proposals, instances[index], ignored[index])
            features = [level[index][None] for level in x]
            results.append(
                self.bbox_sampler.sample(assigned, proposals, instances[index], feats=features)
            )
        return results

    def _box_head_loss(
        self,
        results: dict[str, Tensor],
        rois: Tensor,
        targets: tuple[Tensor, ...],
        inputs: DistillInputs,
    ) -> dict[str, Tensor]:
        """Return the alignment and box losses, after the terms have weighed the RoIs."""
        labels, weights, *box_targets = targets
        for term in self.distillers:
            factors = term.roi_weights(inputs)
            weights = weights if factors is None else weights * factors
        return self.bbox_head.loss(
            results["cls_score"], results["bbox_pred"], rois, labels, weights, *box_targets
        )

    def _distill_inputs(
        self,
        x: tuple[Tensor, ...],
        sampled: SampledRoIs,
        regions: DistillRegions | None,
        samples: SampleList,
    ) -> DistillInputs:
        captions = None
        if "captions" in needed_parts(self.distillers):
            captions = gather_captions(samples)
        return DistillInputs(
            images=len(samples),
            texts=self.bbox_head.fc_cls.as_inputs(),
            features=tuple(x),
            sampled=sampled,
            regions=regions,
            captions=captions,
        )

    def _embed_together(
        self, x: tuple[Tensor, ...], rois: Tensor, samples: SampleList
    ) -> tuple[dict[str, Tensor], DistillRegions | None]:
        """Send the sampled RoIs through the box head, and the distillation regions with them.

        Regions that train the same head pass it together with the RoIs, so that a head with
        batch normalisation has one set of statistics for both, as in ViLD's code.
        """
        if "regions" not in needed_parts(self.distillers):
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
        """Embeds regions with the head that distillation trains.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            rois: (P, 5) image index and xyxy box, absolute pixels of the network input.

        Returns:
            (P, D) unit norm.
        """
        features = self.bbox_roi_extractor(x[: self.bbox_roi_extractor.num_inputs], rois)
        head = self.image_head or self.bbox_head
        return head.fc_cls.for_distillation(head(features)[0])

    def _bbox_forward(
        self, x: tuple[Tensor, ...], rois: Tensor, score_crops: CropScores | None = None
    ) -> dict[str, Tensor]:
        """Return what mmdet's does; ``cls_score`` has logits in training, log-scores in testing."""
        results = super()._bbox_forward(x, rois)
        head = self.bbox_head.fc_cls
        outputs = results["cls_score"]
        embeddings = head.for_words(outputs)
        if self.training:
            logits = head.align(embeddings)
            return {**results, "cls_score": logits, "embeddings": embeddings, "outputs": outputs}
        scores = head.log_scores(embeddings)
        if score_crops is not None:
            boxes = self.bbox_head.bbox_coder.decode(rois[:, 1:], results["bbox_pred"])
            image = score_crops(boxes, rois[:, 0].long(), head.words)
            scores[:, :-1] = self._ensemble(scores[:, :-1], image)
        if self.image_head is not None:
            image_embeddings = self.image_head(results["bbox_feats"])[0]
            image = self.image_head.fc_cls.log_scores(image_embeddings)
            scores[:, :-1] = self._ensemble(scores[:, :-1], image[:, :-1])
        results["cls_score"] = scores
        return results

    def _ensemble(self, log_text: Tensor, log_image: Tensor) -> Tensor:
        """(R, W) log-scores of this head and of another source -> (R, W)."""
        if self.fixed_share is not None:
            return ensemble_log_scores(log_text, log_image, None, self.fixed_share)
        is_base = self.bbox_head.fc_cls.is_base
        return ensemble_log_scores(log_text, log_image, is_base, self.text_share)

    def predict(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: InstanceList,
        batch_data_samples: SampleList,
        rescale: bool = False,
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
            rescale: give boxes in pixels of the original image.
            score_crops: names boxes in a second way, which is combined with the head's as
                ViLD-ensemble combines its heads; see ``TeacherOnCrops``.
        """
        if self.test_cfg.get("keep_proposals", False):
            _keep_proposals(rpn_results_list, batch_data_samples, rescale)
        if score_crops is None:
            return super().predict(x, rpn_results_list, batch_data_samples, rescale=rescale)
        metas = [sample.metainfo for sample in batch_data_samples]
        # mmdet's mask branch scales boxes and masks together
        scale_here = rescale and not self.with_mask
        results = self._predict_with_crops(x, metas, rpn_results_list, scale_here, score_crops)
        if self.with_mask:
            results = self.predict_mask(x, metas, results, rescale=rescale)
        return results

    def _predict_with_crops(
        self,
        x: tuple[Tensor, ...],
        metas: list[dict],
        rpn_results_list: InstanceList,
        rescale: bool,
        score_crops: CropScores,
    ) -> InstanceList:
        boxes = [proposals.bboxes for proposals in rpn_results_list]
        counts = [len(own) for own in boxes]
        if not sum(counts):
            return self.predict_bbox(x, metas, rpn_results_list, self.test_cfg, rescale=rescale)
        rois = bbox2roi(boxes)
        results = self._bbox_forward(x, rois, score_crops)
        return self.bbox_head.predict_by_feat(
            rois=rois.split(counts),
            cls_scores=results["cls_score"].split(counts),
            bbox_preds=results["bbox_pred"].split(counts),
            batch_img_metas=metas,
            rcnn_test_cfg=self.test_cfg,
            rescale=rescale,
        )


def _keep_proposals(rpn_results_list: InstanceList, samples: SampleList, rescale: bool) -> None:
    for proposals, sample in zip(rpn_results_list, samples, strict=True):
        boxes = proposals.bboxes
        if rescale:
            boxes = scale_boxes(boxes, [1 / s for s in sample.scale_factor])
        sample.proposals = InstanceData(bboxes=boxes, scores=proposals.scores)
