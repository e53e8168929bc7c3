"""Vouch as a distiller."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.methods.distiller import Distiller, DistillInputs
from ovdistill.methods.inputs import image_iou
from ovdistill.methods.vouch.loss import naming_loss, object_evidence, weighted_image_loss


@MODELS.register_module()
class VouchTerm(Distiller):
    """Distils the regions that are vouched for as objects, and no longer calls them background.

    The proposal network scores how surely each region is an object, labelled or not. That score
    weighs the region's distillation, and takes weight from the background target of the RoIs
    that match it: the alignment loss of a RoI that matches no label is multiplied by one minus
    ``soften`` times the best score of a matching region.

    Args:
        image_weight: of the L1 distance to the teacher, in ViLD's unit (summed over D).
        naming_weight: of the divergence between what teacher and student take a region for,
            among the teacher's embeddings of recent regions.
        naming_temperature: cosines are divided by it there.
        bank_size: how many embeddings are remembered (on each rank its own).
        bank_rows: how many regions of a batch, of the highest objectness, enter the bank.
        soften: 0 leaves the background target alone, 1 takes it away where a region is certain.
        min_overlap: a region matches a RoI from this IoU on.
    """

    def __init__(
        self,
        image_weight: float = 0.5,
        naming_weight: float = 0.0,
        naming_temperature: float = 0.05,
        bank_size: int = 1024,
        bank_rows: int = 32,
        soften: float = 1.0,
        min_overlap: float = 0.5,
    ) -> None:
        super().__init__()
        self.image_weight = image_weight
        self.naming_weight = naming_weight
        self.naming_temperature = naming_temperature
        self.bank_size = bank_size
        self.bank_rows = bank_rows
        self.soften = soften
        self.min_overlap = min_overlap

    def set_width(self, embed_dim: int) -> None:
        """Makes the empty bank, which is not saved: it fills within a few steps."""
        self.register_buffer("bank", torch.empty(0, embed_dim), persistent=False)

    def roi_weights(self, inputs: DistillInputs) -> Tensor | None:
        """(R,) one, less where a background RoI matches a region that is an object."""
        if not self.soften:
            return None
        sampled, regions = inputs.sampled, inputs.regions
        overlap = image_iou(sampled.boxes, sampled.image_index, regions.boxes, regions.image_index)
        evidence = object_evidence(overlap, regions.objectness, self.min_overlap)
        return 1 - self.soften * evidence * sampled.is_background

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Returns ``loss_vouch_image`` and, with a weight, ``loss_vouch_naming``."""
        regions = inputs.regions
        weights = regions.objectness
        loss = weighted_image_loss(regions.student, regions.teacher, weights)
        losses = {"loss_vouch_image": self.image_weight * loss}
        if self.naming_weight:
            self._remember(regions.teacher, weights)
            loss = naming_loss(
                regions.student, regions.teacher, weights, self.bank, self.naming_temperature
            )
            losses["loss_vouch_naming"] = self.naming_weight * loss
        return losses

    def _remember(self, teacher: Tensor, objectness: Tensor) -> None:
        best = objectness.topk(min(self.bank_rows, len(objectness))).indices
        fresh = F.normalize(teacher[best].detach().float(), dim=-1)
        self.bank = torch.cat([fresh, self.bank])[: self.bank_size]
