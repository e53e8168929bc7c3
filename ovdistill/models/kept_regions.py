"""Find class names in the regions that a two-stage detector has kept of an image.

Class names enter a detector at the very end: regions, their boxes, embeddings and masks do not
depend on them. So they are computed once (``keep_regions``), and any later class names are answered
from them, without the image and without the backbone.

Shapes: R regions of an image, E width of a RoI's embedding (see ``score_embeddings``), W class
names, S side of a mask in cells, n detections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from mmcv.ops import batched_nms
from mmengine.structures import InstanceData
from torch import Tensor

from ovdistill.models.roi_head import OpenVocabularyRoIHead
from ovdistill.models.second_look import foremost


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
    look = head.second_look_settings
    if look and kept.second is not None:
        index = foremost(kept.regressed, log_scores, look)
        again = head.score_embeddings(kept.second[index])
        fit = None if kept.fit is None else kept.fit[index]
        log_scores = head.both_looks(log_scores[index], again, fit, look)
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
