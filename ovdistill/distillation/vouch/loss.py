"""Vouch's formulas on plain tensors (this file imports torch only).

Shapes: R sampled RoIs, P distillation regions, D embedding width.
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
