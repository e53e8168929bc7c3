"""Pastes masks into images with numpy alone, as the detector does.

Shapes: n masks of S x S cells, H x W pixels of the image.
"""

from __future__ import annotations

import numpy as np


def paste_masks(
    masks: np.ndarray, boxes: np.ndarray, size: tuple[int, int], threshold: float
) -> np.ndarray:
    """Return masks in an image, (n, H, W) bool.

    Args:
        masks: (n, S, S) float32 probabilities in the boxes.
        boxes: (n, 4) float32, xyxy, absolute pixels of the image.
        size: H and W.
        threshold: a pixel whose interpolated probability reaches it is of the object.
    """
    height, width = size
    pasted = np.zeros((len(masks), height, width), dtype=bool)
    for mask, (x1, y1, x2, y2), own in zip(masks, boxes, pasted, strict=True):
        columns = _span(x1, x2, width)
        rows = _span(y1, y2, height)
        across = _interpolation(columns, x1, x2, mask.shape[1])
        down = _interpolation(rows, y1, y2, mask.shape[0])
        inside = down @ mask @ across.T >= threshold
        own[rows.start : rows.stop, columns.start : columns.stop] = inside
    return pasted


def _span(low: float, high: float, most: int) -> range:
    """Return the pixels that a mask may reach: those of its box, and one on each side."""
    return range(max(0, int(np.floor(low)) - 1), max(0, min(most, int(np.ceil(high)) + 1)))


def _interpolation(pixels: range, low: float, high: float, cells: int) -> np.ndarray:
    """Return the (pixels, S) weights of the cells at the centre of each pixel.

    Beyond the outermost cells the mask fades to 0 over the width of a cell. A box without a side
    has no pixels.
    """
    centres = np.arange(pixels.start, pixels.stop, dtype=np.float32) + np.float32(0.5)
    if high == low:
        return np.zeros((len(centres), cells), dtype=np.float32)
    place = (centres - low) / (high - low) * cells - np.float32(0.5)
    return np.clip(1 - np.abs(place[:, None] - np.arange(cells, dtype=np.float32)), 0, 1)
