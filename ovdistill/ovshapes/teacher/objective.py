"""The objective of the embedded benchmark's teacher."""

from __future__ import annotations

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.ovshapes.teacher.batch import GroupBatch
from ovdistill.ovshapes.teacher.loss import group_loss
from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.objective import TowerObjective
from ovdistill.teacher_training.registry import register_objective
from ovdistill.teacher_training.towers import Towers


@register_objective
class GroupContrast(TowerObjective):
    """Contrasts crops with captions at several levels, within groups of different captions.

    Captions that several crops share are embedded once. Whole images, where the batch has some, are
    contrasted with captions of their own.

    Args:
        weight: factor on the losses.
        image_weight: further factor on the loss of whole images.
    """

    def __init__(self, weight: float = 1.0, image_weight: float = 0.5) -> None:
        super().__init__(weight)
        self.image_weight = image_weight

    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        """Return a loss for each level, and that of whole images.

        Raises:
            UserError: a batch of another source than ``OVShapesCrops``.
        """
        if not isinstance(batch, GroupBatch):
            raise UserError("GroupContrast with another source of data; expected OVShapesCrops")
        crops = batch.captions.shape[1]
        images, texts = towers.encode_images(batch.images), towers.encode_texts(batch.tokens)
        scale = towers.scale
        captions = len(texts) - batch.whole
        losses = {
            f"loss_level_{level}": group_loss(images[:crops], texts[:captions], own, scale)
            for level, own in enumerate(batch.captions)
        }
        if batch.whole:
            pairs = torch.arange(batch.whole, device=images.device)
            loss = group_loss(images[crops:], texts[captions:], pairs, scale)
            losses["loss_whole_images"] = self.image_weight * loss
        return losses
