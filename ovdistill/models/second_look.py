"""A second look at the boxes that were found: corrected by their masks, then named again.

A region is embedded as well as its box fits: a proposal that holds half of an object, or much of
the ground, is named worse than the box that the heads make of it. So the first scores only choose
the boxes; the corrected boxes pass the box head once more, and both scores count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import ConfigType, InstanceList
from torch import Tensor
from torchvision.ops import box_iou, nms

from ovdistill.models.box_quality import jitter
from ovdistill.models.look_settings import SecondLook, read_settings
from ovdistill.models.mask_boxes import MaskBoxRoIHead
from ovdistill.models.refined_names import of_any_class, rename
from ovdistill.models.tight_boxes import clip_boxes

# (R, 5) RoIs and their (R, W + 1) log-scores -> new log-scores
AdjustScores = Callable[[Tensor, Tensor], Tensor]


class SecondLookRoIHead(MaskBoxRoIHead):
    """A RoI head with class-agnostic boxes that scores the boxes it has corrected.

    ``test_cfg.second_look=dict(iou=0.9, most=60, ...)``, the arguments of ``SecondLook``: the
    foremost of the regressed boxes of an image are kept. ``test_cfg.mask_boxes`` corrects them, now
    before the suppression of each class instead of after it, and the box head names them again.
    With a ``quality_head`` the scores are multiplied by a power of the predicted IoU of the boxes.

    Args:
        *args: as for ``MaskBoxRoIHead``.
        quality_head: config of a ``BoxQualityHead``.
        **kwargs: as for ``MaskBoxRoIHead``.

    Raises:
        UserError: see ``read_settings``.
    """

    def __init__(self, *args: Any, quality_head: ConfigType | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.quality_head = MODELS.build(quality_head) if quality_head else None
        read_settings(SecondLook, self.test_cfg or {}, "second_look")

    def quality_loss(self, x: tuple[Tensor, ...], objects: InstanceList) -> dict[str, Tensor]:
        """Return the loss of the ``quality_head`` on boxes around the labelled objects, if any.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            objects: labelled objects of the N images.
        """
        if self.quality_head is None:
            return {}
        boxes = [jitter(own.bboxes, self.quality_head.jitters) for own in objects]
        iou = [
            box_iou(own, labelled.bboxes).amax(dim=1) if len(own) else own.new_zeros(0)
            for own, labelled in zip(boxes, objects, strict=True)
        ]
        features = self.pool(x, bbox2roi(boxes))
        return {"loss_quality": self.quality_head.loss(features, torch.cat(iou))}

    def pool(self, x: tuple[Tensor, ...], rois: Tensor) -> Tensor:
        """Return the (R, C, S, S) features of (R, 5) RoIs, as all heads of boxes take them.

        In a test these are the ``bbox_feats`` of ``_bbox_forward``.
        """
        features = self.bbox_roi_extractor(x[: self.bbox_roi_extractor.num_inputs], rois)
        return self.shared_head(features) if self.with_shared_head else features

    @property
    def second_look_settings(self) -> SecondLook | None:
        """How boxes are scored once more; None if they are not."""
        return read_settings(SecondLook, self.test_cfg, "second_look")

    @property
    def corrects_detections(self) -> bool:
        """Whether ``predict_mask`` corrects the boxes that it is given."""
        return super().corrects_detections and self.second_look_settings is None

    def predict_bbox(
        self,
        x: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        rpn_results_list: InstanceList,
        rcnn_test_cfg: ConfigType,
        rescale: bool = False,  # noqa: FBT001, FBT002 (mmdet's signature)
        adjust: AdjustScores | None = None,
    ) -> InstanceList:
        """Return the boxes of detections as mmdet's head does.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            batch_img_metas: metadata of the N images.
            rpn_results_list: proposals of each image.
            rcnn_test_cfg: thresholds, see mmdet.
            rescale: return boxes in pixels of the original image.
            adjust: changes the scores of the boxes, which are final then.
        """
        counts = [len(proposals) for proposals in rpn_results_list]
        look = self.second_look_settings
        if not sum(counts) or (look is None and adjust is None):
            return super().predict_bbox(
                x, batch_img_metas, rpn_results_list, rcnn_test_cfg, rescale=rescale
            )
        proposals = [own.bboxes for own in rpn_results_list]
        boxes, results = self.first_look(x, batch_img_metas, proposals)
        scores = results["cls_score"]
        if look is not None:
            boxes, scores = self._look_again(x, batch_img_metas, boxes, scores, look)
            counts = [len(own) for own in boxes]
        rois = bbox2roi(boxes)
        if adjust is not None:
            scores = adjust(rois, scores)
        return self.bbox_head.predict_by_feat(
            rois=rois.split(counts),
            cls_scores=scores.split(counts),
            bbox_preds=(None,) * len(counts),  # the boxes are regressed already
            batch_img_metas=batch_img_metas,
            rcnn_test_cfg=rcnn_test_cfg,
            rescale=rescale,
        )

    def first_look(
        self, x: tuple[Tensor, ...], metas: Sequence[dict], proposals: Sequence[Tensor]
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Run the box head on proposals.

        Args:
            x: pyramid levels.
            metas: metadata of the images.
            proposals: (R_i, 4) boxes of each image, xyxy, pixels of the network input.

        Returns:
            The regressed boxes of each image, within it; and what ``_bbox_forward`` returns for the
            proposals of all images.
        """
        rois = bbox2roi(list(proposals))
        results = self._bbox_forward(x, rois)
        decoded = self.bbox_head.bbox_coder.decode(rois[:, 1:], results["bbox_pred"])
        boxes = [
            clip_boxes(own, meta["img_shape"])
            for own, meta in zip(decoded.split([*map(len, proposals)]), metas, strict=True)
        ]
        return boxes, results

    def _look_again(
        self,
        x: tuple[Tensor, ...],
        metas: list[dict],
        boxes: list[Tensor],
        log_scores: Tensor,
        look: SecondLook,
    ) -> tuple[list[Tensor], Tensor]:
        """Correct the foremost boxes of each image and score them once more.

        Args:
            x: pyramid levels.
            metas: metadata of the images.
            boxes: regressed boxes of each image, xyxy, pixels of the network input; R in all.
            log_scores: (R, W + 1) log-scores of the boxes.
            look: the settings.

        Returns:
            The boxes of each image, n in all, and their (n, W + 1) log-scores.
        """
        first = log_scores.split([len(own) for own in boxes])
        kept = [foremost(*pair, look) for pair in zip(boxes, first, strict=True)]
        before = torch.cat([own[index] for own, index in zip(first, kept, strict=True)])
        boxes = [own[index] for own, index in zip(boxes, kept, strict=True)]
        boxes, again = self.second_look(x, metas, boxes)
        return boxes, self.both_looks(before, again["cls_score"], again["fit"], look)

    def second_look(
        self, x: tuple[Tensor, ...], metas: list[dict], boxes: list[Tensor]
    ) -> tuple[list[Tensor], dict[str, Any]]:
        """Correct boxes, and run the box head on them.

        Args:
            x: pyramid levels.
            metas: metadata of the images.
            boxes: regressed boxes of each image, xyxy, pixels of the network input; n in all.

        Returns:
            The corrected boxes of each image; and what the box head returns for them, with the (n,)
            logits of their predicted IoU as ``fit``, None without a ``quality_head``.
        """
        boxes = self.correct(x, metas, boxes)
        again = self._bbox_forward(x, bbox2roi(boxes))
        fit = None if self.quality_head is None else self.quality_head(again["bbox_feats"])
        return boxes, {**again, "fit": fit}

    @staticmethod
    def both_looks(first: Tensor, second: Tensor, fit: Tensor | None, look: SecondLook) -> Tensor:
        """Combine the scores of both looks, and how well the boxes fit.

        Args:
            first: (n, W + 1) log-scores of the proposals.
            second: (n, W + 1) those of the corrected boxes.
            fit: (n,) logits of the boxes' IoU, or None.
            look: the settings.

        Returns:
            (n, W + 1) log-scores.
        """
        both = rename(first, second, look.share)
        return both if fit is None else both + F.logsigmoid(fit)[:, None] * look.quality


def foremost(boxes: Tensor, log_scores: Tensor, look: SecondLook) -> Tensor:
    """Return which boxes of an image to look at again, the most certain first.

    Args:
        boxes: (R, 4) xyxy.
        log_scores: (R, W + 1) log-probabilities, the background last.
        look: the settings.

    Returns:
        (at most ``look.most``,) int64 indices.
    """
    return nms(boxes, certainty(log_scores), look.iou)[: look.most]


def certainty(log_scores: Tensor) -> Tensor:
    """Return (R,) values in the order of the probability that boxes hold an object.

    These are log-odds: float32 holds no difference between probabilities of 1 - 4e-7 and 1 - 5e-7,
    which many boxes have, so that rounding would order them. A head without background says
    nothing of all classes together (those of a softmax always add up to 1): there it is the
    log-score of the best class.

    Args:
        log_scores: (R, W + 1) log-probabilities, the background last, or -inf.
    """
    objects, background = of_any_class(log_scores), log_scores[:, -1]
    best = log_scores[:, :-1].amax(dim=1)
    return torch.where(background.isfinite(), objects - background, best)
