"""The contest, a part of Vouch until it was found to cost naming under CLIP's geometry.

In a second softmax, labelled RoIs also compete with the teacher's *image* embeddings of unlabelled
objects. Where images and texts lie apart, a RoI that equals its teacher is nearer to every image
than to its own name, so that the term fights the distillation. It is kept for the ablation
(rows.py), and as an example of a term outside of the package.

Shapes: R sampled RoIs, P distillation regions, W class names, B rows of a bank, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.term import DistillationTerm


@MODELS.register_module()
class ContestTerm(DistillationTerm):
    """Lets labelled objects be told from unlabelled ones too.

    Args:
        loss_weight: of the second alignment loss, in the unit of the first.
        min_overlap: smallest IoU at which a region matches a labelled box.
        min_objectness: smallest score of a region that enters the bank.
        margin: an object of the bank is left out for a class if its similarity to the class comes
            within this margin of the mean similarity of labelled regions to their classes.
        bank_size: how many embeddings the bank holds (each rank has its own).
        bank_rows: how many regions of a batch enter the bank at most.
    """

    needs = ("regions", "rois")
    bank: Tensor

    def __init__(
        self,
        loss_weight: float = 1.0,
        min_overlap: float = 0.5,
        min_objectness: float = 0.3,
        margin: float = 0.05,
        bank_size: int = 1024,
        bank_rows: int = 16,
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.min_overlap = min_overlap
        self.min_objectness = min_objectness
        self.margin = margin
        self.bank_size = bank_size
        self.bank_rows = bank_rows

    def set_embed_dim(self, embed_dim: int) -> None:
        """Build the empty bank; it is not saved, because it fills within a few steps."""
        self.register_buffer("bank", torch.zeros(self.bank_size, embed_dim), persistent=False)

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Update the bank and return ``loss_contest``, if it has a weight."""
        sampled, regions, texts = inputs.sampled, inputs.regions, inputs.texts
        assert sampled is not None and regions is not None
        if not self.loss_weight:
            return {}
        teacher = F.normalize(regions.teacher.float(), dim=-1)
        labelled = regions.overlap >= self.min_overlap
        self._update_bank(teacher, regions.objectness * ~labelled)
        # mean similarity of labelled regions to their classes; without any, -1 leaves out every
        # object of the bank
        similarity = torch.where(texts.is_base, teacher @ texts.embeddings.T, -1)
        typical = (similarity.amax(dim=1) * labelled).sum() / labelled.sum().clamp(min=1)
        limit = torch.where(labelled.any(), typical - self.margin, -1)
        candidates = contest_candidates(texts.embeddings, texts.is_base, self.bank, limit)
        loss = contest_loss(
            sampled.embeddings,
            sampled.labels,
            texts.embeddings,
            self.bank,
            candidates,
            texts.temperature,
        )
        return {"loss_contest": self.loss_weight * loss}

    def _update_bank(self, teacher: Tensor, objectness: Tensor) -> None:
        """Put the surest of (P, D) objects first; the rows of unsure ones are zero, so empty."""
        sure = objectness.topk(min(self.bank_rows, len(objectness)))
        fresh = teacher[sure.indices] * (sure.values >= self.min_objectness)[:, None]
        self.bank = torch.cat([fresh, self.bank])[: self.bank_size]


def contest_loss(
    embeddings: Tensor,
    labels: Tensor,
    texts: Tensor,
    bank: Tensor,
    candidates: Tensor,
    temperature: float | Tensor,
) -> Tensor:
    """Return an alignment loss in which labelled RoIs also compete with unlabelled objects.

    Cross-entropy of the softmax over ``[e_r . t_1, ..., e_r . t_W, e_r . v_1, ..., e_r . v_B]``,
    divided by tau, with the class of the label as target.

    Args:
        embeddings: (R, D) of sampled RoIs, unit norm.
        labels: (R,) int64 in [0, W]; W is the background, which has no loss here.
        texts: (W, D) text embeddings of the class names, unit norm.
        bank: (B, D) unit norm: the teacher's embeddings of objects without a label.
        candidates: (W, W + B) bool, the columns of the softmax for each label; see
            ``contest_candidates``.
        temperature: tau.

    Returns:
        Scalar: the sum over the labelled RoIs, divided by R, which is the unit of the alignment
        loss. Zero, with a graph, if none is labelled.
    """
    labelled = labels < len(texts)
    with torch.autocast(embeddings.device.type, enabled=False):
        logits = embeddings.float() @ torch.cat([texts, bank]).float().T / temperature
    own = labels.clamp(max=len(texts) - 1)
    logits = torch.where(labelled[:, None], logits.masked_fill(~candidates[own], -torch.inf), 0)
    losses = F.cross_entropy(logits, own, reduction="none")
    return (losses * labelled).sum() / max(len(labels), 1)


def contest_candidates(
    texts: Tensor, is_base: Tensor, bank: Tensor, limit: Tensor | float
) -> Tensor:
    """Return which classes and which objects of the bank compete with each class.

    Args:
        texts: (W, D) text embeddings of the class names, unit norm.
        is_base: (W,) bool; novel classes never compete.
        bank: (B, D) unit norm; rows of zeros are empty.
        limit: similarity from which on an object may belong to the class.

    Returns:
        (W, W + B) bool: base classes, and objects that surely do not belong to the class.
    """
    objects = (texts @ bank.T < limit) & bank.any(dim=1)
    return torch.cat([is_base.expand(len(texts), -1), objects], dim=1)
