"""Hides squares of images and predicts their pixels from a feature map.

Shapes: N images, S their side in pixels, C channels of an h x w feature map.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.objectives.masked_image.loss import draw_mask, masked_pixel_loss


class MaskedPixels(nn.Module):
    """A learned colour that hides squares of images, and a linear head that predicts their pixels.

    Args:
        channels: C of the feature map that the head reads.
        image_size: S.
        stride: side in pixels of the square that a position of the feature map stands for.
        square: side of a square, pixels; None for the stride.
        ratio: share of the squares that is hidden.

    Raises:
        UserError: a value out of its range.
    """

    def __init__(
        self, channels: int, image_size: int, stride: int, square: int | None, ratio: float
    ) -> None:
        super().__init__()
        square = stride if square is None else square
        if not 0 < ratio <= 1 or not 1 <= square <= image_size:
            raise UserError(
                f"masked images with ratio {ratio} and squares of {square} pixels; expected a "
                f"ratio above 0 up to 1, and squares of 1 to {image_size} pixels"
            )
        self.square, self.ratio, self.stride = square, ratio, stride
        self.colour = nn.Parameter(torch.zeros(3))
        self.head = nn.Conv2d(channels, 3 * stride**2, kernel_size=1)

    def hide(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 3, S, S) images with hidden squares, and the (N, 1, S, S) bool mask."""
        mask = draw_mask(images, self.square, self.ratio)
        return torch.where(mask, self.colour.to(images)[:, None, None], images), mask

    def loss(self, feature_map: Tensor, images: Tensor, mask: Tensor) -> Tensor:
        """Return the mean absolute error of the hidden pixels, see ``masked_pixel_loss``.

        Args:
            feature_map: (N, C, h, w) of the images with hidden squares.
            images: (N, 3, S, S) without.
            mask: (N, 1, S, S) bool.
        """
        predicted = F.pixel_shuffle(self.head(feature_map), self.stride)
        # a stride that does not divide the input: a tower leaves a border that no position sees,
        # or pads its input, so that its last positions see less
        height, width = (
            min(sides) for sides in zip(predicted.shape[2:], mask.shape[2:], strict=True)
        )
        parts = (part[..., :height, :width] for part in (predicted, images, mask))
        return masked_pixel_loss(*parts)
