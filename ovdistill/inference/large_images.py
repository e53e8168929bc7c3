"""Very large images are reduced before a detector sees them.

The masks of 100 objects in an image of 20,000 x 20,000 pixels would take 40 GB.
"""

from __future__ import annotations

import math

import numpy as np

MAX_PIXELS = 25_000_000  # 100 masks take 2.5 GB


def reduced_size(size: tuple[int, int], max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return H and W that an image of this H and W is reduced to; the same if it is small enough.

    Args:
        size: H and W.
        max_pixels: the largest H x W.
    """
    height, width = size
    if height * width <= max_pixels:
        return height, width
    factor = math.sqrt(max_pixels / (height * width))
    # of a very thin image the short side keeps a pixel, so the long one may still be too long
    short = max(1, int(min(height, width) * factor))
    long = min(int(max(height, width) * factor), max_pixels // short)
    return (long, short) if width < height else (short, long)


def reduce_image(image: np.ndarray, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return an image with at most so many pixels, each the mean of those that it stands for.

    Args:
        image: (H, W, 3) uint8; it is returned as it is if it is small enough.
        max_pixels: the largest H x W.
    """
    height, width = reduced_size((image.shape[0], image.shape[1]), max_pixels)
    if image.shape[:2] == (height, width):
        return image
    import cv2  # `OnnxDetector` runs without it

    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
