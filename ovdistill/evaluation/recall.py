"""Recall of class-agnostic boxes: how many objects they find, whatever their names."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torchvision.ops import box_iou

IOU_THRESHOLDS = np.arange(50, 100, 5) / 100


def match(truth: Tensor, proposals: Tensor) -> np.ndarray:
    """Match true boxes and proposals one to one, greedily by the highest IoU first.

    Args:
        truth: (G, 4) true boxes, xyxy, absolute pixels of an image.
        proposals: (n, 4) proposals, xyxy, absolute pixels of the same image.

    Returns:
        (G,) float64: the IoU of each true box with its proposal, 0 where it has none.
    """
    iou = box_iou(truth.double(), proposals.double()).numpy().copy()  # (G, n)
    matched = np.zeros(len(truth))
    for _ in range(min(iou.shape)):
        row, column = np.unravel_index(iou.argmax(), iou.shape)
        if iou[row, column] <= 0:
            break
        matched[row] = iou[row, column]
        iou[row], iou[:, column] = -1, -1
    return matched


def recalls(matched: np.ndarray) -> tuple[float, float]:
    """Return average recall over IoU 0.5:0.05:0.95 and recall at IoU 0.5, in percent.

    Args:
        matched: (G,) IoU of each true box with its proposal, see ``match``. Both recalls are -1.0
            if G is 0.
    """
    if not len(matched):
        return -1.0, -1.0
    # 1e-9, since rounding must not lose a box whose IoU equals a threshold
    found = matched[:, None] >= IOU_THRESHOLDS - 1e-9
    return 100 * float(found.mean()), 100 * float(found[:, 0].mean())
