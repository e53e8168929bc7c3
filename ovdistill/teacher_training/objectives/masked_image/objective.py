"""Masked image modelling as an objective."""

from __future__ import annotations

from torch import Tensor

from ovdistill.teacher.dense import dense_stride
from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.objective import TowerObjective
from ovdistill.teacher_training.objectives.masked_image.pixels import MaskedPixels
from ovdistill.teacher_training.registry import register_objective
from ovdistill.teacher_training.towers import Towers


@register_objective
class MaskedImage(TowerObjective):
    """Hides squares of an image, and lets the image tower predict their pixels.

    SimMIM (Xie et al., arXiv 2111.09886): random squares, a linear head, an L1 loss. SimMIM
    replaces the embedding of a hidden patch by a learned vector; here a learned colour replaces its
    pixels, so that towers without patches (ResNet, ConvNeXt) learn alike.

    Args:
        weight: see ``Objective``.
        ratio: share of the squares that is hidden. SimMIM: 0.6.
        square: side of a square in pixels; None for the patch of a ViT or the stride of a
            convolutional tower. SimMIM: 32 of 224.

    Raises:
        UserError: a value out of its range, in ``set_towers``.
    """

    needs = ("images",)
    hides_images = True

    def __init__(self, weight: float = 1.0, ratio: float = 0.6, square: int | None = None) -> None:
        super().__init__(weight)
        self.ratio = ratio
        self.square = square

    def set_towers(self, towers: Towers) -> None:
        """Build the colour that hides pixels, and the head that predicts them."""
        self.pixels = MaskedPixels(
            towers.image_width,
            towers.image_size,
            dense_stride(towers.model),
            self.square,
            self.ratio,
        )

    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        """Return ``loss_masked_image``."""
        hidden, mask = self.pixels.hide(batch.images)
        loss = self.pixels.loss(towers.image_map(hidden), batch.images, mask)
        return {"loss_masked_image": loss}
