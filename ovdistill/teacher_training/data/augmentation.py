"""How training images are cropped and mirrored, as values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher.crops import CropPolicy

SQUASH = CropPolicy(scales=(1.0,), shape="squash")
TRIES = 10  # to draw a part that fits into the image, as torchvision's RandomResizedCrop does
LEAST_OVERLAP = 0.3  # the share of a box that must be in the crop for the box to stay


@dataclass(frozen=True)
class Augmentation:
    """Rule by which a random part of an image becomes the tower's input.

    The defaults are CLIP's training in open_clip, and so is the rule, torchvision's: a part that is
    wider or higher than the image is drawn anew, and after ten of them the largest part in the
    middle is taken whose ratio is allowed.

    Attributes:
        area: least and largest share of the image's area that is shown.
        ratio: least and largest ratio of width to height of that part.
        flip: probability of mirroring left and right. Off by default: words such as "left" exist.
    """

    area: tuple[float, float] = (0.9, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.0

    def __post_init__(self) -> None:
        for name in ("area", "ratio"):
            low, high = getattr(self, name)
            object.__setattr__(self, name, (float(low), float(high)))
            if not 0 < low <= high or (name == "area" and high > 1):
                raise UserError(
                    f"augmentation {name} ({low}, {high}); expected two rising positive numbers"
                    f"{', up to 1' if name == 'area' else ''}"
                )
        if not 0 <= self.flip <= 1:
            raise UserError(f"augmentation flip {self.flip}; expected a probability, 0 to 1")

    def rectangle(self, height: int, width: int, rng: np.random.Generator) -> Tensor:
        """Draw the part of an image that is shown.

        Args:
            height: of the image, pixels.
            width: of the image, pixels.
            rng: random generator.

        Returns:
            (4,) float32 xyxy, absolute pixels of the image, whole numbers.
        """
        for _ in range(TRIES):
            area = rng.uniform(*self.area) * height * width
            ratio = np.exp(rng.uniform(*np.log(self.ratio)))
            wide, high = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
            if 0 < wide <= width and 0 < high <= height:
                left, top = rng.integers(width - wide + 1), rng.integers(height - high + 1)
                break
        else:
            low, high_ratio = self.ratio
            wide = min(width, max(1, round(height * high_ratio)))
            high = min(height, max(1, round(width / low)))
            left, top = (width - wide) // 2, (height - high) // 2
        return torch.tensor([left, top, left + wide, top + high], dtype=torch.float32)

    def apply(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        size: int,
        interpolation: str,
        rng: np.random.Generator,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Crop, resize and perhaps mirror an image, and move its boxes with it.

        Args:
            image: (H, W, 3) uint8 RGB.
            boxes: (b, 4) xyxy, absolute pixels of the image.
            size: S.
            interpolation: 'bicubic' or 'bilinear'.
            rng: random generator.

        Returns:
            (3, S, S) uint8; (k, 4) float32 the boxes that are still seen, absolute pixels of the
            result; (k,) int64 which they are.
        """
        pixels = torch.from_numpy(image).permute(2, 0, 1)
        height, width = image.shape[:2]
        shown = self.rectangle(height, width, rng)
        (crops,) = SQUASH.crop([(pixels, shown[None])], size, interpolation)
        mirrored = bool(rng.random() < self.flip)
        moved, kept = _move(torch.from_numpy(boxes).float().reshape(-1, 4), shown, size)
        if mirrored:
            moved = torch.stack([size - moved[:, 2], moved[:, 1], size - moved[:, 0], moved[:, 3]])
            moved = moved.T
        return crops[0].flip(2) if mirrored else crops[0], moved, kept


def _move(boxes: Tensor, shown: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return boxes in pixels of a crop that is resized, and the indices of those still seen."""
    cut = torch.cat([boxes[:, :2].maximum(shown[:2]), boxes[:, 2:].minimum(shown[2:])], dim=1)
    inside = (cut[:, 2:] - cut[:, :2]).clamp(min=0).prod(dim=1)
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    kept = ((inside > 0) & (inside >= LEAST_OVERLAP * whole)).nonzero().flatten()
    factor = size / (shown[2:] - shown[:2])
    return (cut[kept] - shown[:2].repeat(2)) * factor.repeat(2), kept
