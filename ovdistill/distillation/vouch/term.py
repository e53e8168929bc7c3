"""Vouch as a distillation term."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import (
    DistillInputs,
    DistillRegions,
    SampledRoIs,
    TextEmbeddings,
)
from ovdistill.distillation.overlap import image_iou
from ovdistill.distillation.term import DistillationTerm
from ovdistill.distillation.vouch.loss import (
    contest_candidates,
    contest_loss,
    object_evidence,
    weighted_image_loss,
)


@MODELS.register_module()
class VouchTerm(DistillationTerm):
    """Treats regions that surely hold an object as objects, labelled or not.

    The score of the proposal network says how surely a region holds an object. This score weights
    the distillation of the region, and reduces the weight of the background target for RoIs that
    match the region. The teacher's embeddings of sure objects without a label are kept in a bank;
    in a second alignment loss, labelled objects have to be told from them as well as from the other
    base classes.

    Args:
        image_weight: of the L1 distance to the teacher, in ViLD's unit (summed over D).
        by_objectness: weight the regions of the image loss by their objectness.
        contest_weight: of the second alignment loss, in the unit of the first.
        soften: 0 keeps the full weight of the background target, 1 removes it where a region
            certainly holds an object.
        min_overlap: smallest IoU at which a region matches a RoI or a labelled box.
        min_objectness: smallest score of a region that enters the bank.
        margin: an object of the bank may be an unlabelled object of a class. It is left out for a
            class if its similarity to the class comes within this margin of the mean similarity
            of labelled regions to their classes.
        bank_size: how many embeddings the bank holds (each rank has its own).
        bank_rows: how many regions of a batch enter the bank at most.
    """

    needs = ("regions", "rois")
    bank: Tensor

    def __init__(
        self,
        image_weight: float = 0.5,
        *,
        by_objectness: bool = True,
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
        self.by_objectness = by_objectness
        self.contest_weight = contest_weight
        self.soften = soften
        self.min_overlap = min_overlap
        self.min_objectness = min_objectness
        self.margin = margin
        self.bank_size = bank_size
        self.bank_rows = bank_rows

    def set_embed_dim(self, embed_dim: int) -> None:
        """Build the empty bank; it is not saved, because it fills within a few steps."""
        self.register_buffer("bank", torch.zeros(self.bank_size, embed_dim), persistent=False)

    def roi_weights(self, inputs: DistillInputs) -> Tensor | None:
        """Return (R,) ones, and less for background RoIs that match a likely object."""
        if not self.soften:
            return None
        sampled, regions = inputs.sampled, inputs.regions
        assert sampled is not None and regions is not None
        overlap = image_iou(sampled.boxes, sampled.image_index, regions.boxes, regions.image_index)
        evidence = object_evidence(overlap, regions.objectness, self.min_overlap)
        return 1 - self.soften * evidence * (sampled.labels == len(inputs.texts.is_base))

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_vouch_image`` and ``loss_vouch_contest``, each only if it has a weight."""
        sampled, regions, texts = inputs.sampled, inputs.regions, inputs.texts
        assert sampled is not None and regions is not None
        losses = {}
        if self.image_weight:
            weights = regions.objectness
            if not self.by_objectness:
                weights = torch.ones_like(weights)
            loss = weighted_image_loss(regions.student, regions.teacher, weights)
            losses["loss_vouch_image"] = self.image_weight * loss
        if self.contest_weight:
            loss = self._contest(sampled, regions, texts)
            losses["loss_vouch_contest"] = self.contest_weight * loss
        return losses

    def _contest(
        self, sampled: SampledRoIs, regions: DistillRegions, texts: TextEmbeddings
    ) -> Tensor:
        """Update the bank and return the second alignment loss, a scalar."""
        teacher = F.normalize(regions.teacher.float(), dim=-1)
        labelled = regions.overlap >= self.min_overlap
        self._update_bank(teacher, regions.objectness * ~labelled)
        # mean similarity of labelled regions to their classes; without any, -1 leaves out every
        # object of the bank
        similarity = torch.where(texts.is_base, teacher @ texts.embeddings.T, -1)
        typical = (similarity.amax(dim=1) * labelled).sum() / labelled.sum().clamp(min=1)
        limit = torch.where(labelled.any(), typical - self.margin, -1)
        candidates = contest_candidates(texts.embeddings, texts.is_base, self.bank, limit)
        return contest_loss(
            sampled.embeddings,
            sampled.labels,
            texts.embeddings,
            self.bank,
            candidates,
            texts.temperature,
        )

    def _update_bank(self, teacher: Tensor, objectness: Tensor) -> None:
        """Put the surest of (P, D) objects first; the rows of unsure ones are zero, so empty."""
        sure = objectness.topk(min(self.bank_rows, len(objectness)))
        fresh = teacher[sure.indices] * (sure.values >= self.min_objectness)[:, None]
        self.bank = torch.cat([fresh, self.bank])[: self.bank_size]
