"""The scores of class names at pixels, from named masks and from the pixel head.

Shapes: n masks of an image, W class names, h x w the pixel head's grid, H x W pixels of an original
image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ovdistill.segmentation.best_names import to_original
from ovdistill.segmentation.losses.mask_word import sum_over_masks
from ovdistill.segmentation.mask_boxes import mask_boxes


class MixedScores:
    """The ``PixelScores`` of an image with named masks.

    What does not depend on the names is computed once: scores are asked for a few names at a time.

    Args:
        masks: (n, H, W) bool.
        scores: (n, W) probabilities of the names of each mask, together that of an object.
        grid: (W, h, w) probabilities of the names at each position of the pixel head.
        meta: see ``to_original``.
    """

    def __init__(
        self, masks: Tensor, scores: Tensor, grid: Tensor, meta: Mapping[str, Any]
    ) -> None:
        self.masks = masks
        self.scores = scores.float()
        self.grid = grid
        self.meta = meta
        self.boxes = mask_boxes(masks)
        claimed = self.scores.new_zeros(masks.shape[1:])
        together = torch.zeros_like(claimed)
        objects = self.scores.sum(dim=1).clamp(max=1)
        for mask, box, is_object in zip(masks, self.boxes, objects, strict=True):
            part = mask[box] * is_object
            together[box] += part
            claimed[box] = torch.maximum(claimed[box], part)
        self.of_masks = claimed / together.clamp(min=1e-6)
        self.of_pixels = 1 - claimed

    def __call__(self, names: slice) -> Tensor:
        """Return the (names, H, W) probabilities of some names."""
        pixels = to_original(self.grid[names], self.meta)
        if not len(self.masks):
            return pixels
        named = sum_over_masks(self.scores[:, names], self.masks, self.boxes)
        return named.mul_(self.of_masks).addcmul_(pixels.to(named), self.of_pixels)
