"""What a two-stage detector knows of an image before it is told any class name.

Class names enter a detector at the very end: regions, their boxes, embeddings and masks do not
depend on them. So they are computed once and kept, and any later class names are answered from
them, without the image and without the backbone.

Shapes: R regions of an image, E width of a RoI's embedding (see ``score_embeddings``), W class
names, S side of a mask in cells, n detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmcv.ops import batched_nms
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import InstanceList
from mmengine.structures import InstanceData
from torch import Tensor
from torchvision.ops import nms

from ovdistill.models.roi_head import OpenVocabularyRoIHead
from ovdistill.models.second_look import foremost
from ovdistill.models.tight_boxes import clip_boxes

MOST_REGIONS = 300
SAME_BOX = 0.9  # IoU


@dataclass(frozen=True)
class KeptRegions:
    """The R regions of one image, with all that classification needs.

    Attributes:
        boxes: (R, 4) xyxy, absolute pixels of the network input.
        regressed: (R, 4) the same boxes before their masks corrected them.
        embeddings: (R, E) of the regions as they were proposed.
        second: (R, E) embeddings of the corrected boxes, or None.
        fit: (R,) logits of the boxes' predicted IoU with an object, or None.
        masks: (R, 1, S, S) logits in ``boxes``, or None.
        features: the pyramid levels of the image, to make masks from, or None.
        meta: ``img_shape``, ``ori_shape`` and ``scale_factor`` as mmdet has them.
    """

    boxes: Tensor
    regressed: Tensor
    embeddings: Tensor
    second: Tensor | None
    fit: Tensor | None
    masks: Tensor | None
    features: tuple[Tensor, ...] | None
    meta: dict[str, Any]

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def final_embeddings(self) -> Tensor:
        """The (R, E) embeddings of ``boxes``."""
        return self.embeddings if self.second is None else self.second


def keep_regions(
    head: OpenVocabularyRoIHead,
    x: tuple[Tensor, ...],
    metas: Sequence[dict],
    proposals: InstanceList,
    most: int = MOST_REGIONS,
    *,
    once: bool = False,
    masks: bool = True,
) -> list[KeptRegions]:
    """Compute boxes, embeddings and masks of the proposals of each image.

    Args:
        head: in eval mode, with class-agnostic boxes and masks.
        x: pyramid levels, each (N, C, H_l, W_l).
        metas: metadata of the N images.
        proposals: of each image, with ``bboxes`` and ``scores``.
        most: if an image has more proposals, those that overlap a better one by an IoU above 0.9
            are left out, and then the last ones.
        once: the regions serve the current class names alone, so that only the foremost boxes are
            looked at again, and masks are made of detections alone.
        masks: make the masks of the regions.
    """
    chosen = [_distinct(own, most) for own in proposals]
    if not sum(map(len, chosen)):
        return [_nothing(head, boxes, meta) for boxes, meta in zip(chosen, metas, strict=True)]
    boxes, embeddings, scores = _first_look(head, x, metas, chosen)
    look = head.test_cfg.get("second_look")
    if once and look:
        index = [
            foremost(own, own_scores, look["iou"], look["most"])
            for own, own_scores in zip(boxes, scores, strict=True)
        ]
        boxes = [own[rows] for own, rows in zip(boxes, index, strict=True)]
        embeddings = [own[rows] for own, rows in zip(embeddings, index, strict=True)]
    final, again = boxes, dict[str, Tensor]()
    if look:
        final, again = head.second_look(x, list(metas), boxes)
    elif head.corrects_detections:
        final = head.correct(x, list(metas), boxes)
    counts = [len(own) for own in boxes]
    second, fit = (_split(again.get(key), counts) for key in ("embeddings", "fit"))
    with_masks = head.with_mask and masks and not once
    logits = _split(head.mask_logits(x, final) if with_masks else None, counts)
    return [
        KeptRegions(
            boxes=final[i],
            regressed=boxes[i],
            embeddings=embeddings[i],
            second=second[i],
            fit=fit[i],
            masks=logits[i],
            features=tuple(level[i : i + 1] for level in x) if once else None,
            meta=meta,
        )
        for i, meta in enumerate(metas)
    ]


def _first_look(
    head: OpenVocabularyRoIHead,
    x: tuple[Tensor, ...],
    metas: Sequence[dict],
    proposals: list[Tensor],
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Return regressed boxes, embeddings and log-scores of the proposals of each image."""
    counts = [len(own) for own in proposals]
    rois = bbox2roi(proposals)
    results = head.embed_rois(x, rois)
    decoded = head.bbox_head.bbox_coder.decode(rois[:, 1:], results["bbox_pred"])
    boxes = [
        clip_boxes(own, meta["img_shape"])
        for own, meta in zip(decoded.split(counts), metas, strict=True)
    ]
    embeddings, scores = results["embeddings"].split(counts), results["cls_score"].split(counts)
    return boxes, list(embeddings), list(scores)


def _split(values: Tensor | None, counts: list[int]) -> Sequence[Tensor | None]:
    return [None] * len(counts) if values is None else values.split(counts)


def _distinct(proposals: InstanceData, most: int) -> Tensor:
    boxes = proposals.bboxes
    if len(boxes) <= most:
        return boxes
    return boxes[nms(boxes, proposals.scores, SAME_BOX)[:most]]


def _nothing(head: OpenVocabularyRoIHead, boxes: Tensor, meta: dict) -> KeptRegions:
    """Return what there is to know of an image without proposals."""
    width = head.embed_dim * (1 if head.image_head is None else 2)
    none = boxes.new_zeros(0, width)
    return KeptRegions(
        boxes, boxes, none, second=None, fit=None, masks=None, features=None, meta=meta
    )


def classify_regions(
    head: OpenVocabularyRoIHead,
    kept: KeptRegions,
    score_threshold: float,
    most: int,
    wanted: int | None = None,
    groups: Tensor | None = None,
) -> InstanceData:
    """Return the detections of the current class names among the regions of an image.

    Args:
        head: the one that kept them; its class names may be others now.
        kept: the regions of the image.
        score_threshold: the lowest score of a detection.
        most: the largest number of detections.
        wanted: only the first ``wanted`` classes are detected; the others compete with them.
        groups: (W,) int64, the class of each class name, where classes have several, by rising
            numbers; a class has the scores of all its names together. Labels are classes then.

    Returns:
        n detections, best first: ``bboxes`` (n, 4) xyxy, absolute pixels of the original image,
        ``scores`` (n,), ``labels`` (n,), ``regions`` (n,) index into ``kept``, ``runner_up`` (n,)
        the second best class of the region, -1 if there is none, and ``runner_up_scores`` (n,).
        For their masks see ``region_masks``.
    """
    overlapping, scores, index = score_regions(head, kept, groups)
    config = head.test_cfg
    # hard suppression gives the same with every threshold, the faster the higher it is
    lowest = max(config.score_thr, score_threshold - 1e-6)
    found, labels, row = _suppressed(overlapping, scores, lowest, config)
    limit = scores.shape[1] - 1 if wanted is None else wanted
    chosen = ((found >= score_threshold) & (labels < limit)).nonzero()[:, 0][:most]
    labels, row = labels[chosen], row[chosen]
    runner_up = scores[row].scatter(1, labels[:, None], -1.0)[:, :-1].max(dim=1)
    regions = index[row]
    factor = kept.boxes.new_tensor(kept.meta["scale_factor"]).repeat(2)
    return InstanceData(
        bboxes=kept.boxes[regions] / factor,
        scores=found[chosen],
        labels=labels,
        regions=regions,
        runner_up=torch.where(runner_up.values >= 0, runner_up.indices, -1),
        runner_up_scores=runner_up.values.clamp(min=0),
    )


def _suppressed(
    boxes: Tensor, scores: Tensor, lowest: float, config: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores, classes and boxes of the detections that mmdet's ``multiclass_nms`` keeps.

    It lays out every box once for each class; most have no score, so these are left out first.

    Args:
        boxes: (n, 4) xyxy.
        scores: (n, W + 1), the background last.
        lowest: detections with lower scores are left out.
        config: ``nms`` and ``max_per_img``.

    Returns:
        Three (k,) tensors, best first: scores, int64 classes, and int64 indices into ``boxes``.
    """
    row, labels = (scores[:, :-1] > lowest).nonzero().unbind(1)
    if not len(row):
        return scores.new_zeros(0), labels, row
    found, kept = batched_nms(boxes[row], scores[row, labels], labels, config.nms)
    most = config.max_per_img if config.max_per_img > 0 else len(kept)
    return found[:most, 4], labels[kept[:most]], row[kept[:most]]


def _together(scores: Tensor, groups: Tensor) -> Tensor:
    """Return (n, G + 1) scores of G classes from (n, W + 1) scores of their names."""
    classes = scores.new_zeros(len(scores), int(groups[-1]) + 1)
    classes.index_add_(1, groups.to(scores.device), scores[:, :-1])
    return torch.cat([classes.clamp(max=1), scores[:, -1:]], dim=1)


def scores_of_region(
    head: OpenVocabularyRoIHead, kept: KeptRegions, region: int, groups: Tensor | None = None
) -> Tensor:
    """Return the (G,) scores of a detected region for all classes.

    Args:
        head: see ``classify_regions``.
        kept: see ``classify_regions``.
        region: index into ``kept`` of a region that ``classify_regions`` detected.
        groups: see ``classify_regions``.
    """
    _, scores, index = score_regions(head, kept, groups)
    return scores[(index == region).nonzero()[0, 0], :-1]


def score_regions(
    head: OpenVocabularyRoIHead, kept: KeptRegions, groups: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Score the regions of an image that can be detected, before any is suppressed.

    Args:
        head: see ``classify_regions``.
        kept: see ``classify_regions``.
        groups: see ``classify_regions``.

    Returns:
        (n, 4) boxes to suppress by, (n, G + 1) scores, the background last, and (n,) int64 index
        into ``kept``.
    """
    log_scores = head.score_embeddings(kept.embeddings)
    index = torch.arange(len(kept), device=log_scores.device)
    boxes = kept.regressed
    look = head.test_cfg.get("second_look")
    if look and kept.second is not None:
        index = foremost(kept.regressed, log_scores, look["iou"], look["most"])
        again = head.score_embeddings(kept.second[index])
        fit = None if kept.fit is None else kept.fit[index]
        weights = {key: look[key] for key in ("share", "quality") if key in look}
        log_scores = head.both_looks(log_scores[index], again, fit, **weights)
        boxes = kept.boxes[index]
    scores = head.bbox_head.loss_cls.get_activation(log_scores)
    return boxes, scores if groups is None else _together(scores, groups), index


def region_masks(head: OpenVocabularyRoIHead, kept: KeptRegions, regions: Tensor) -> Tensor:
    """Return the masks of some regions, (n, H, W) bool in pixels of the original image.

    Args:
        head: the one that kept them, with masks.
        kept: the regions of the image.
        regions: (n,) int64 index into ``kept``.
    """
    if not len(regions):
        height, width = kept.meta["ori_shape"][:2]
        return regions.new_zeros((0, height, width), dtype=torch.bool)
    boxes = kept.boxes[regions]
    if kept.masks is not None:
        logits = kept.masks[regions]
    else:
        assert kept.features is not None
        logits = head.mask_logits(kept.features, [boxes])
    return head.paste(logits, boxes, kept.meta, rescale=True)
