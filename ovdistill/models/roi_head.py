"""RoI head whose classes are words, with the branch that distillation regions take.

Shapes: N images, R RoIs, P distillation regions, D embedding width, W words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi, scale_boxes
from mmdet.utils import ConfigType, InstanceList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ovdistill.methods.distiller import (
    DistillInputs,
    DistillRegions,
    SampledRoIs,
    distillation_losses,
)
from ovdistill.methods.inputs import gather_captions, gather_regions, needed, region_rois
from ovdistill.methods.vild.loss import ensemble_log_scores
from ovdistill.models.mask_boxes import MaskBoxRoIHead
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ovdistill.inference.teacher_on_crops import TeacherOnCrops


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
        self.crop_teacher: TeacherOnCrops | None = None
        self._samples: SampleList = []
        self._inputs: DistillInputs | None = None

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replaces the words of every head."""
        for head in filter(None, (self.bbox_head, self.image_head)):
            head.fc_cls.set_vocabulary(vocabulary)
            head.num_classes = len(vocabulary)
            head.loss_cls.set_vocabulary(vocabulary)

    def loss(
        self, x: tuple[Tensor, ...], rpn_results_list: InstanceList, batch_data_samples: SampleList
    ) -> dict[str, Tensor]:
        """Detection losses on the sampled RoIs, distillation losses on the regions."""
        if not len(self.distillers):
            return super().loss(x, rpn_results_list, batch_data_samples)
        self._samples = batch_data_samples
        losses = super().loss(x, rpn_results_list, batch_data_samples)
        inputs, self._inputs, self._samples = self._inputs, None, []
        return losses | distillation_losses(self.distillers, inputs)

    def bbox_loss(
        self, x: tuple[Tensor, ...], sampling_results: list[SamplingResult]
    ) -> dict[str, Tensor | dict]:
        """As mmdet's, with the distillation regions embedded on the way.

        Terms may weigh the RoIs of the alignment loss.
        """
        if not len(self.distillers):
            return super().bbox_loss(x, sampling_results)
        rois = bbox2roi([result.priors for result in sampling_results])
        results, regions = self._embed_together(x, rois)
        labels, weights, *box_targets = self.bbox_head.get_targets(sampling_results, self.train_cfg)
        sampled = SampledRoIs(
            embeddings=results.pop("embeddings"),
            boxes=rois[:, 1:],
            image_index=rois[:, 0].long(),
            labels=labels,
        )
        captions = None
        if "captions" in needed(self.distillers):
            captions = gather_captions(self._samples)
        self._inputs = DistillInputs(
            images=len(self._samples),
            words=self.bbox_head.fc_cls.as_inputs(),
            features=tuple(x),
            sampled=sampled,
            regions=regions,
            captions=captions,
        )
        for term in self.distillers:
            factors = term.roi_weights(self._inputs)
            weights = weights if factors is None else weights * factors
        losses = self.bbox_head.loss(
            results["cls_score"], results["bbox_pred"], rois, labels, weights, *box_targets
        )
        return dict(loss_bbox=losses, bbox_feats=results["bbox_feats"])

    def _embed_together(
        self, x: tuple[Tensor, ...], rois: Tensor
    ) -> tuple[dict[str, Tensor], DistillRegions | None]:
        """The sampled RoIs through the box head, and the distillation regions.

        Regions that train the same head pass it together with the RoIs, so that a head with
        batch normalisation has one set of statistics for both, as in ViLD's code.
        """
        if "regions" not in needed(self.distillers):
            return self._bbox_forward(x, rois), None
        region_boxes = region_rois(self._samples)
        if self.image_head is None:
            results = self._bbox_forward(x, torch.cat([rois, region_boxes]))
            student = self.bbox_head.fc_cls.for_distillation(results["outputs"][len(rois) :])
            results = {key: value[: len(rois)] for key, value in results.items()}
        else:
            results = self._bbox_forward(x, rois)
            student = self.embed_regions(x, region_boxes)
        return results, gather_regions(self._samples, region_boxes, student)

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

    def _bbox_forward(self, x: tuple[Tensor, ...], rois: Tensor) -> dict[str, Tensor]:
        """As mmdet's; ``cls_score`` holds logits in training and log-scores at test time."""
        results = super()._bbox_forward(x, rois)
        words = self.bbox_head.fc_cls
        outputs = results["cls_score"]
        embeddings = words.for_words(outputs)
        if self.training:
            logits = words.align(embeddings)
            return {**results, "cls_score": logits, "embeddings": embeddings, "outputs": outputs}
        scores = words.log_scores(embeddings)
        if self.crop_teacher is not None:
            boxes = self.bbox_head.bbox_coder.decode(rois[:, 1:], results["bbox_pred"])
            image = self.crop_teacher(boxes, rois[:, 0].long(), words.words)
            scores[:, :-1] = self._ensemble(scores[:, :-1], image)
        if self.image_head is not None:
            image_words = self.image_head.fc_cls
            image = image_words.log_scores(self.image_head(results["bbox_feats"])[0])
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
    ) -> InstanceList:
        """As mmdet's; with ``test_cfg.keep_proposals`` the samples keep their proposals.

        ``sample.proposals`` then has ``bboxes`` (n, 4) xyxy in absolute pixels of the original
        picture (of the network input without ``rescale``) and ``scores`` (n,).
        """
        if self.test_cfg.get("keep_proposals", False):
            for proposals, sample in zip(rpn_results_list, batch_data_samples, strict=True):
                boxes = proposals.bboxes
                if rescale:
                    boxes = scale_boxes(boxes, [1 / s for s in sample.scale_factor])
                sample.proposals = InstanceData(bboxes=boxes, scores=proposals.scores)
        return super().predict(x, rpn_results_list, batch_data_samples, rescale=rescale)
