"""The normalisation of a tower's input, as a value that worker processes can take."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Normalization:
    """Makes inputs of pixels.

    Attributes:
        mean: of RGB pixels in [0, 1].
        std: of RGB pixels in [0, 1].
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return (..., 3, S, S) float32 inputs of pixels.

        Args:
            pixels: (..., 3, S, S) RGB, uint8, or float in [0, 1].
        """
        mean, std = (
            torch.tensor(value, device=pixels.device).reshape(3, 1, 1)
            for value in (self.mean, self.std)
        )
        values = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels
        return (values - mean) / std
