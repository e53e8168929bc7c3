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


def naming_loss(
    student: Tensor, teacher: Tensor, weights: Tensor, bank: Tensor, temperature: float
) -> Tensor:
    """Which of a bank's embeddings the student takes a region for, against the teacher.

    ``sum_p w_p KL( softmax(v_p . B / tau) || softmax(e_p . B / tau) ) / sum_p w_p``

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        weights: (P,) not negative.
        bank: (B, D) unit norm: the teacher's embeddings of other regions.
        temperature: tau.

    Returns:
        Scalar. Zero, with a graph, where all weights are zero or the bank is empty.
    """
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    # float32 even under autocast: cosines over a small temperature
    with torch.autocast(student.device.type, enabled=False):
        said = (student @ bank.float().T / temperature).log_softmax(dim=-1)
        meant = (teacher @ bank.float().T / temperature).log_softmax(dim=-1)
    divergence = (meant.exp() * (meant - said)).sum(dim=-1)
    return (weights * divergence).sum() / weights.sum().clamp(min=1e-6)
