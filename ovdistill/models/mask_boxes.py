"""Boxes corrected by their masks.

A box regressor learns where objects of the base classes end, and cuts off parts of other objects
(the shaft of an arrow that looks like a triangle). Masks generalise better, because pixels are
local.

Shapes: n detections, S side of a mask in cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox2roi, scale_boxes
from mmdet.utils import InstanceList
from mmengine.structures import InstanceData
from torch import Tensor


def tight_boxes(boxes: Tensor, logits: Tensor, threshold: float) -> Tensor:
    """Return the boxes around masks, whose edges lie where the logits cross the threshold.

    Args:
        boxes: (n, 4) xyxy boxes in which the masks were predicted.
        logits: (n, S, S) mask logits, row by row.
        threshold: a cell above it belongs to the object.

    Returns:
        (n, 4) xyxy in the same pixels; the given box if no cell is above the threshold.
    """
    x1, x2 = _edges(boxes[:, 0], boxes[:, 2], logits.amax(dim=1), threshold)
    y1, y2 = _edges(boxes[:, 1], boxes[:, 3], logits.amax(dim=2), threshold)
    return torch.stack([x1, y1, x2, y2], dim=1)


def _edges(low: Tensor, high: Tensor, profile: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return where profiles first rise above the threshold, and where they last fall below it.

    Args:
        low: (n,) coordinate of the start of each profile, in pixels.
        high: (n,) coordinate of its end.
        profile: (n, S) largest logit of each column or row.
        threshold: as for ``tight_boxes``.

    Returns:
        Two (n,) coordinates; ``low`` and ``high`` if a profile is never above the threshold.
    """
    cells = profile.shape[1]
    inside = profile > threshold
    number = torch.arange(cells, device=profile.device)
    first = torch.where(inside, number, cells - 1).amin(dim=1)
    last = torch.where(inside, number, 0).amax(dim=1)
    size = (high - low) / cells
    # outside of the mask there is no value: the edge is half a cell away from the centre
    before = first + 0.5 - _crossing(profile, first, first - 1, threshold)
    after = last + 0.5 + _crossing(profile, last, last + 1, threshold)
    found = inside.any(dim=1)
    start = torch.where(found, low + before * size, low)
    return start, torch.where(found, low + after * size, high)


def _crossing(profile: Tensor, inner: Tensor, outer: Tensor, threshold: float) -> Tensor:
    """Return how far the crossing is from the centre of cell ``inner`` to ``outer``, in cells."""
    last = profile.shape[1] - 1
    value = profile.gather(1, inner[:, None])[:, 0]
    beyond = profile.gather(1, outer.clamp(0, last)[:, None])[:, 0]
    share = (value - threshold) / (value - beyond).clamp(min=1e-6)
    return torch.where((outer < 0) | (outer > last), 0.5, share)


@MODELS.register_module()
class MaskBoxRoIHead(StandardRoIHead):
    """mmdet's standard RoI head; with ``test_cfg.mask_boxes`` its masks correct the boxes.

    ``mask_boxes=dict(expand=1.15, threshold=-0.5, share=0.5)``: the box of each detection is
    enlarged by the factor ``expand`` and a mask is predicted in it. The new box is a weighted mean
    of the box around the logits above ``threshold`` (weight ``share``) and the regressed box (the
    rest). This costs a second pass of the mask head.
    ``test_cfg.without_masks=True`` leaves the masks themselves out of the results, for proposals.

    Args:
        *args: as for mmdet's ``StandardRoIHead``.
        mask_window: masks are learned and predicted in boxes enlarged by this factor. Above 1 a
            mask sees where an object goes on that its box has cut, and the ground around it.
        **kwargs: as for mmdet's ``StandardRoIHead``.
    """

    def __init__(self, *args: Any, mask_window: float = 1.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mask_window = mask_window

    def mask_loss(
        self,
        x: tuple[Tensor, ...],
        sampling_results: list[SamplingResult],
        bbox_feats: Tensor,
        batch_gt_instances: InstanceList,
    ) -> dict[str, Any]:
        """Return the mask loss as mmdet's head does, with masks in enlarged boxes.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            sampling_results: RoIs of the N images.
            bbox_feats: features of the RoIs, which mmdet's head takes if both heads share them.
            batch_gt_instances: objects of the images, with masks.
        """
        if self.mask_window != 1:
            sampling_results = [
                self._windowed(result, objects)
                for result, objects in zip(sampling_results, batch_gt_instances, strict=True)
            ]
        return super().mask_loss(x, sampling_results, bbox_feats, batch_gt_instances)

    def _windowed(self, result: SamplingResult, objects: InstanceData) -> SamplingResult:
        """Return RoIs of an image whose positive boxes are the windows of their masks."""
        windowed = copy(result)
        height, width = objects.masks.height, objects.masks.width
        windowed.pos_priors = _clip(_grow(result.pos_priors, self.mask_window), (height, width))
        return windowed

    def predict_mask(
        self,
        x: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        results_list: InstanceList,
        rescale: bool = False,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> InstanceList:
        """Return detections with masks as mmdet's head does, for the corrected boxes.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            batch_img_metas: metadata of the N images.
            results_list: detections of each image, with boxes in pixels of the network input.
            rescale: return boxes and masks in pixels of the original image.
        """
        if self.test_cfg.get("mask_boxes"):
            self._correct(x, batch_img_metas, results_list, **self.test_cfg.mask_boxes)
        boxes = [results.bboxes for results in results_list]
        if not self.test_cfg.get("without_masks"):
            for results, meta in zip(results_list, batch_img_metas, strict=True):
                windows = _clip(_grow(results.bboxes, self.mask_window), meta["img_shape"])
                results.bboxes = windows
            # mmdet scales the windows in place
            results_list = super().predict_mask(x, batch_img_metas, results_list, rescale=rescale)
        for results, own, meta in zip(results_list, boxes, batch_img_metas, strict=True):
            results.bboxes = (
                scale_boxes(own, [1 / s for s in meta["scale_factor"]]) if rescale else own
            )
        return results_list

    def _correct(
        self,
        x: tuple[Tensor, ...],
        metas: list[dict],
        results_list: InstanceList,
        expand: float = 1.15,
        threshold: float = -0.5,
        share: float = 0.5,
    ) -> None:
        """Replace the boxes of the detections, in absolute pixels of the network input.

        Args:
            x: pyramid levels.
            metas: metadata of the images.
            results_list: detections of each image.
            expand: see the class, as for the others.
            threshold: on mask logits.
            share: in [0, 1].

        Raises:
            TypeError: the mask head predicts one mask for each class.
        """
        boxes = [results.bboxes for results in results_list]
        counts = [len(each) for each in boxes]
        if not sum(counts):
            return
        grown = [
            _clip(_grow(each, expand), meta["img_shape"])
            for each, meta in zip(boxes, metas, strict=True)
        ]
        logits = self._mask_forward(x, bbox2roi(grown))["mask_preds"]
        if logits.shape[1] != 1:
            raise TypeError("mask_boxes needs a class-agnostic mask head")
        tight = tight_boxes(torch.cat(grown), logits[:, 0].float(), threshold).split(counts)
        for results, meta, around in zip(results_list, metas, tight, strict=True):
            results.bboxes = _clip(share * around + (1 - share) * results.bboxes, meta["img_shape"])


def _grow(boxes: Tensor, factor: float) -> Tensor:
    """Return (n, 4) xyxy boxes with the same centres and ``factor`` times the sides."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    return torch.cat([centre - half, centre + half], dim=1)


def _clip(boxes: Tensor, shape: Sequence[int]) -> Tensor:
    """Return (n, 4) xyxy boxes clipped to an image of this height and width."""
    height, width = shape[:2]
    return torch.minimum(boxes.clamp(min=0), boxes.new_tensor([width, height, width, height]))
