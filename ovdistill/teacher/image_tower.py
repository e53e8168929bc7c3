"""open_clip's image tower with gradients, through which pixels and weights are learned.

Shapes: n images, P regions, S side of the tower's input, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ovdistill.teacher.crops import CropPolicy


class ImageTower:
    """Pixels -> image embeddings, which equal those of ``encode_images``; gradients pass.

    Args:
        model: an open_clip model, whose classes publish no types.
        mean: (3, 1, 1) mean of pixels in [0, 1].
        std: (3, 1, 1) standard deviation of pixels in [0, 1].
        dtype: of the tower's weights.

    Attributes:
        after: maps (n, D) unit embeddings to others; None for no map, see ``WrappedTeacher``.
    """

    def __init__(
        self, model: Any, mean: Tensor, std: Tensor, dtype: torch.dtype = torch.float32
    ) -> None:
        self._encode: Callable[..., Tensor] = model.encode_image
        self._mean, self._std, self._dtype = mean, std, dtype
        self.after: Callable[[Tensor], Tensor] | None = None
        self._changes: list[Callable[[Tensor], Tensor]] = []

    @property
    def device(self) -> torch.device:
        """Device on which the tower runs."""
        return self._mean.device

    def change_pixels_first(self, change: Callable[[Tensor], Tensor]) -> None:
        """Change pixels in front of the tower, before the changes that it has.

        Args:
            change: maps (n, 3, S, S) float RGB to as many, see ``TeacherAdapter.adapt_pixels``.
        """
        self._changes.insert(0, change)

    def encode(self, images: Tensor) -> Tensor:
        """Return the embeddings of images.

        Args:
            images: (n, 3, S, S) RGB, uint8, or float in [0, 1], which gradients reach.

        Returns:
            (n, D) float32, raw (not unit norm), without ``after``.
        """
        images = images.to(self.device)
        pixels = images.float() / 255 if images.dtype == torch.uint8 else images.float()
        for change in self._changes:
            pixels = change(pixels)
        pixels = ((pixels - self._mean) / self._std).to(self._dtype)
        return self._encode(pixels.contiguous(memory_format=torch.channels_last)).float()

    def embed_crops(self, crops: Tensor, policy: CropPolicy) -> Tensor:
        """Return the embeddings of regions, see ``Teacher.embed_crops``.

        Args:
            crops: (P * scales, 3, S, S) RGB, as for ``encode``, box-major.
            policy: how they were cropped.

        Returns:
            (P, D) float32, unit norm.
        """
        fused = policy.fuse_scales(self.encode(crops))
        return fused if self.after is None else self.after(fused)
