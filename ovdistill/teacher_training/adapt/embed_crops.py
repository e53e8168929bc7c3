"""Embeds regions through a differentiable image tower, for methods that learn from pixels.

Shapes: m regions of a batch, S side of the teacher's input, E width of the embeddings.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ovdistill.teacher.image_tower import ImageTower
from ovdistill.teacher_training.adapt.data import AdaptData


class CropEmbedder:
    """Embeds the regions to learn from; their boxes are moved a little, anew in every call.

    Args:
        data: its training regions are embedded.
        tower: through which gradients pass.
        seed: of the boxes' movements.
    """

    def __init__(self, data: AdaptData, tower: ImageTower, seed: int) -> None:
        assert data.train.crops is not None  # the method says needs_crops
        self._crops, self._tower = data.train.crops, tower
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, rows: Tensor, change: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Embed regions.

        Args:
            rows: (m,) int64, of the training regions.
            change: is applied to their pixels, (m * scales, 3, S, S) float in [0, 1], in front of
                the tower; None for no change.

        Returns:
            (m, E) unit norm.
        """
        pixels = self._crops.cut(rows, self._generator).to(self._tower.device).float() / 255
        if change is not None:
            pixels = change(pixels)
        return self._tower.embed_crops(pixels, self._crops.policy)
