"""Very large images are reduced before a detector sees them.

The masks of 100 objects in an image of 20,000 x 20,000 pixels would take 40 GB.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

MAX_PIXELS = 25_000_000  # 100 masks take 2.5 GB


def reduce_image(image: np.ndarray, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return an image with at most so many pixels, each the mean of those that it stands for.

    Args:
        image: (H, W, 3) uint8; it is returned as it is if it is small enough.
        max_pixels: the largest H x W.
    """
    height, width = image.shape[:2]
    if height * width <= max_pixels:
        return image
    factor = math.sqrt(max_pixels / (height * width))
    # of a very thin image the short side keeps a pixel, so the long one may still be too long
    short = max(1, int(min(height, width) * factor))
    long = min(int(max(height, width) * factor), max_pixels // short)
    size = (short, long) if width < height else (long, short)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
