"""Overlap of boxes of several images at once."""

from __future__ import annotations

from torch import Tensor
from torchvision.ops import box_iou


def image_iou(boxes: Tensor, image_index: Tensor, others: Tensor, other_index: Tensor) -> Tensor:
    """IoU of boxes of the same image, zero across images.

    Args:
        boxes: (A, 4) xyxy.
        image_index: (A,) image of each box.
        others: (B, 4) xyxy in the same pixels.
        other_index: (B,) image of each.

    Returns:
        (A, B) float32 in [0, 1].
    """
    # an empty box has no overlap with itself either; 0 / 0 is not a number
    iou = box_iou(boxes.float(), others.float()).nan_to_num()
    return iou * (image_index[:, None] == other_index)
