"""Masks that are kept for a visitor: of the size that is drawn, eight pixels in a byte."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ovdistill.inference.large_images import reduced_size

MOST_PIXELS = 1_500_000  # of a drawing; 100 masks take 19 MB


@dataclass(frozen=True, eq=False)
class KeptMasks:
    """n masks of h x w pixels.

    Attributes:
        bits: (n, h, ceil(w / 8)) uint8.
        width: w.
    """

    bits: np.ndarray
    width: int

    @classmethod
    def of(cls, masks: np.ndarray) -> KeptMasks:
        """Pack (n, H, W) bool masks, which are reduced to ``MOST_PIXELS`` if they are larger."""
        height, width = reduced_size((masks.shape[1], masks.shape[2]), MOST_PIXELS)
        bits = np.empty((len(masks), height, (width + 7) // 8), np.uint8)
        for row, mask in zip(bits, masks, strict=True):  # one at a time: together they are large
            if mask.shape != (height, width):
                shares = mask.astype(np.uint8) * 255
                mask = cv2.resize(shares, (width, height), interpolation=cv2.INTER_AREA) > 127
            row[:] = np.packbits(mask, axis=1)
        return cls(bits, width)

    def first(self, count: int) -> np.ndarray:
        """Return the first masks, (count, h, w) bool."""
        return np.unpackbits(self.bits[:count], axis=2, count=self.width).view(bool)
