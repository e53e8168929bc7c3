"""Vouch's formulas on plain tensors (this file imports torch only).

Shapes: R sampled RoIs, P distillation regions, W class names, B rows of a bank, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def object_evidence(overlap: Tensor, objectness: Tensor, min_overlap: float = 0.5) -> Tensor:
    """Return how surely each RoI holds an object: the best objectness of a matching region.

    Args:
        overlap: (R, P) IoU of RoIs and regions.
        objectness: (P,) scores of the regions, in [0, 1].
        min_overlap: smallest IoU at which a region matches a RoI.

    Returns:
        (R,) in [0, 1]; zero for a RoI that no region matches.
    """
    if not len(objectness):
        return overlap.new_zeros(len(overlap))
    return torch.where(overlap >= min_overlap, objectness, 0).amax(dim=1)


def weighted_image_loss(student: Tensor, teacher: Tensor, weights: Tensor) -> Tensor:
    """Return the L1 distance of unit embeddings, averaged with the regions' weights.

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        weights: (P,) not negative.

    Returns:
        Scalar ``sum_p w_p sum_d |v_pd - e_pd| / sum_p w_p``; equals ViLD's image loss if all
        weights are equal. Zero, with a graph, if all are zero.
    """
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    distance = (student - teacher).abs().sum(dim=-1)
    return (weights * distance).sum() / weights.sum().clamp(min=1e-6)


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
