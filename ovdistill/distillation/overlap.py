"""Overlap of the boxes of several images at once."""

from __future__ import annotations

from torch import Tensor
from torchvision.ops import box_iou


def image_iou(boxes: Tensor, image_index: Tensor, others: Tensor, other_index: Tensor) -> Tensor:
    """Return the IoU of boxes of the same image, and zero for boxes of different images.

    Args:
        boxes: (A, 4) xyxy.
        image_index: (A,) image of each box.
        others: (B, 4) xyxy in the same pixels.
        other_index: (B,) image of each of the other boxes.

    Returns:
        (A, B) float32 in [0, 1].
    """
    # two boxes without area give 0 / 0
    iou = box_iou(boxes.float(), others.float()).nan_to_num()
    return iou * (image_index[:, None] == other_index)
