"""Keep what a two-stage detector knows of an image before it is told any class name.

Shapes: R regions of an image, S side of a mask in cells.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.utils import InstanceList
from mmengine.structures import InstanceData
from torch import Tensor
from torchvision.ops import nms

from ovdistill.models.kept_regions import KeptRegions
from ovdistill.models.roi_head import OpenVocabularyRoIHead
from ovdistill.models.second_look import foremost

MOST_REGIONS = 300
SAME_BOX = 0.9  # IoU


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
    boxes, results = head.first_look(x, metas, chosen)
    counts = [len(own) for own in boxes]
    embeddings: Sequence[Tensor] = results["embeddings"].split(counts)
    look = head.second_look_settings
    if once and look:
        scores = results["cls_score"].split(counts)
        index = [foremost(*pair, look) for pair in zip(boxes, scores, strict=True)]
        boxes = [own[rows] for own, rows in zip(boxes, index, strict=True)]
        embeddings = [own[rows] for own, rows in zip(embeddings, index, strict=True)]
    if look:
        final, again = head.second_look(x, list(metas), boxes)
    else:
        final, again = head.correct(x, list(metas), boxes), {}
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
