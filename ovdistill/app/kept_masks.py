"""Masks that are kept for a visitor: of the size that is drawn, and packed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ovdistill.inference.large_images import reduced_size
from ovdistill.inference.packed_masks import PackedMasks

MOST_PIXELS = 1_500_000  # of a drawing; 100 masks take 19 MB at most


@dataclass(frozen=True, eq=False)
class KeptMasks:
    """n masks of h x w pixels.

    Attributes:
        packed: the masks.
    """

    packed: PackedMasks

    @classmethod
    def of(cls, masks: np.ndarray) -> KeptMasks:
        """Pack (n, H, W) bool masks, which are reduced to ``MOST_PIXELS`` if they are larger."""
        size = reduced_size((masks.shape[1], masks.shape[2]), MOST_PIXELS)
        return cls(PackedMasks.of(_reduced(masks, size), size))

    def first(self, count: int) -> np.ndarray:
        """Return the first masks, (count, h, w) bool."""
        return self.packed[:count].unpack()


def _reduced(masks: np.ndarray, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield each mask with h x w pixels: one at a time, because together they are large."""
    for mask in masks:
        if mask.shape == size:
            yield mask
        else:
            shares = mask.astype(np.uint8) * 255
            yield cv2.resize(shares, size[::-1], interpolation=cv2.INTER_AREA) > 127
