"""Vouch's formulas on plain tensors (this file imports torch only).

Shapes: R sampled RoIs, P distillation regions, B embeddings of a bank, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def object_evidence(overlap: Tensor, objectness: Tensor, min_overlap: float = 0.5) -> Tensor:
    """How surely each RoI holds an object: the best objectness among the regions that match it.

    Args:
        overlap: (R, P) IoU of RoIs and regions.
        objectness: (P,) scores of the regions, in [0, 1].
        min_overlap: a region matches a RoI from this IoU on.

    Returns:
        (R,) in [0, 1]; zero for a RoI that no region matches.
    """
    if not len(objectness):
        return overlap.new_zeros(len(overlap))
    return torch.where(overlap >= min_overlap, objectness, 0).amax(dim=1)


def weighted_image_loss(student: Tensor, teacher: Tensor, weights: Tensor) -> Tensor:
    """L1 distance of unit embeddings, averaged with the regions' weights.

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        weights: (P,) not negative.

    Returns:
        Scalar ``sum_p w_p sum_d |v_pd - e_pd| / sum_p w_p``; ViLD's image loss where all weights
        are equal. Zero, with a graph, where all are zero.
    """
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    distance = (student - teacher).abs().sum(dim=-1)
    return (weights * distance).sum() / weights.sum().clamp(min=1e-6)


def contest_loss(
    embeddings: Tensor,
    labels: Tensor,
    words: Tensor,
    bank: Tensor,
    takes_part: Tensor,
    temperature: float | Tensor,
) -> Tensor:
    """Alignment in an open world: labelled RoIs choose among words and unlabelled objects.

    Cross-entropy of the softmax over ``[e_r . t_1, ..., e_r . t_W, e_r . v_1, ..., e_r . v_B]``,
    divided by tau, with the label's word as target.

    Args:
        embeddings: (R, D) of sampled RoIs, unit norm.
        labels: (R,) int64 in [0, W]; W is the background, which has no loss here.
        words: (W, D) unit norm.
        bank: (B, D) unit norm: the teacher's embeddings of objects without a label.
        takes_part: (W, W + B) bool, which words and objects stand beside a label; see ``contest``.
        temperature: tau.

    Returns:
        Scalar: the sum over the labelled RoIs, over R, which is the unit of the alignment loss.
        Zero, with a graph, where none is labelled.
    """
    labelled = labels < len(words)
    with torch.autocast(embeddings.device.type, enabled=False):
        logits = embeddings.float() @ torch.cat([words, bank]).float().T / temperature
    own = labels.clamp(max=len(words) - 1)
    logits = torch.where(labelled[:, None], logits.masked_fill(~takes_part[own], -torch.inf), 0)
    losses = F.cross_entropy(logits, own, reduction="none")
    return (losses * labelled).sum() / max(len(labels), 1)


def contest(words: Tensor, is_base: Tensor, bank: Tensor, limit: Tensor | float) -> Tensor:
    """Which words and objects of the bank stand beside each word in ``contest_loss``.

    Args:
        words: (W, D) unit norm.
        is_base: (W,) bool; the others take no part in training.
        bank: (B, D) unit norm; rows of zeros are empty places.
        limit: similarity from which on an object may well be one of the word.

    Returns:
        (W, W + B) bool: base words, and objects that are surely not of the word.
    """
    objects = (words @ bank.T < limit) & bank.any(dim=1)
    return torch.cat([is_base.expand(len(words), -1), objects], dim=1)
