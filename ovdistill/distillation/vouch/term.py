"""Vouch as a distiller."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.overlap import image_iou
from ovdistill.distillation.term import DistillationTerm
from ovdistill.distillation.vouch.loss import (
    contest,
    contest_loss,
    object_evidence,
    weighted_image_loss,
)


@MODELS.register_module()
class VouchTerm(DistillationTerm):
    """Treats the regions that are vouched for as objects like objects, labelled or not.

    The proposal network says how surely each region is an object. That score weighs the region's
    distillation; it takes weight from the background target of RoIs that match the region; and
    the teacher's embeddings of sure objects without a label, remembered in a bank, stand beside
    the base words in a second alignment loss, so that a labelled object is told from them.

    Args:
        image_weight: of the L1 distance to the teacher, in ViLD's unit (summed over D).
        contest_weight: of the second alignment loss, in the unit of the first.
        soften: 0 leaves the background target alone, 1 takes it away where a region is certain.
        min_overlap: a region matches a RoI or a labelled box from this IoU on.
        min_objectness: of a region that enters the bank.
        margin: an object of the bank is left out for a word whose similarity to it comes this
            near to that of labelled regions and their words: it may be one that nobody labelled.
        bank_size: how many embeddings are remembered (on each rank its own).
        bank_rows: how many regions of a batch enter at most.
    """

    needs = ("regions", "rois")

    def __init__(
        self,
        image_weight: float = 0.5,
        contest_weight: float = 1.0,
        soften: float = 1.0,
        min_overlap: float = 0.5,
        min_objectness: float = 0.3,
        margin: float = 0.05,
        bank_size: int = 1024,
        bank_rows: int = 16,
    ) -> None:
        super().__init__()
        self.image_weight = image_weight
        self.contest_weight = contest_weight
        self.soften = soften
        self.min_overlap = min_overlap
        self.min_objectness = min_objectness
        self.margin = margin
        self.bank_size = bank_size
        self.bank_rows = bank_rows

    def set_width(self, embed_dim: int) -> None:
        """Makes the bank, empty and not saved: it fills within a few steps."""
        self.register_buffer("bank", torch.zeros(self.bank_size, embed_dim), persistent=False)

    def roi_weights(self, inputs: DistillInputs) -> Tensor | None:
        """(R,) one, less where a background RoI matches a region that is an object."""
        if not self.soften:
            return None
        sampled, regions = inputs.sampled, inputs.regions
        overlap = image_iou(sampled.boxes, sampled.image_index, regions.boxes, regions.image_index)
        evidence = object_evidence(overlap, regions.objectness, self.min_overlap)
        return 1 - self.soften * evidence * (sampled.labels == len(inputs.texts.is_base))

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Returns ``loss_vouch_image`` and ``loss_vouch_contest``, those with a weight."""
        regions = inputs.regions
        losses = {}
        if self.image_weight:
            loss = weighted_image_loss(regions.student, regions.teacher, regions.objectness)
            losses["loss_vouch_image"] = self.image_weight * loss
        if self.contest_weight:
            losses["loss_vouch_contest"] = self.contest_weight * self._contest(inputs)
        return losses

    def _contest(self, inputs: DistillInputs) -> Tensor:
        regions, sampled, texts = inputs.regions, inputs.sampled, inputs.texts
        teacher = F.normalize(regions.teacher.float(), dim=-1)
        labelled = regions.overlap >= self.min_overlap
        self._remember(teacher, regions.objectness * ~labelled)
        # how near the teacher puts labelled regions to their words; no contest without any
        similarity = torch.where(texts.is_base, teacher @ texts.embeddings.T, -1)
        typical = (similarity.amax(dim=1) * labelled).sum() / labelled.sum().clamp(min=1)
        limit = torch.where(labelled.any(), typical - self.margin, -1)
        takes_part = contest(texts.embeddings, texts.is_base, self.bank, limit)
        return contest_loss(
            sampled.embeddings,
            sampled.labels,
            texts.embeddings,
            self.bank,
            takes_part,
            texts.temperature,
        )

    def _remember(self, teacher: Tensor, objectness: Tensor) -> None:
        """Puts the surest unlabelled objects first; places of unsure ones stay empty."""
        sure = objectness.topk(min(self.bank_rows, len(objectness)))
        fresh = teacher[sure.indices] * (sure.values >= self.min_objectness)[:, None]
        self.bank = torch.cat([fresh, self.bank])[: self.bank_size]
