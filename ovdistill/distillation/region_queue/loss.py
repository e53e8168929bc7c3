"""The formula of relations to a queue on plain tensors (this file imports torch only).

Shapes: P distillation regions, K keys, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def queue_relation_loss(
    student: Tensor, teacher: Tensor, keys: Tensor, weights: Tensor, temperature: float
) -> Tensor:
    """Return how much the student's relations to the keys differ from the teacher's.

    The relation of an embedding to the keys is the softmax of its cosines over the temperature; the
    difference is the Kullback-Leibler divergence. A constant that all keys share, as most of CLIP's
    image embeddings do, changes no softmax.

    Source: the object relations of HD-OVD. With a teacher that is sure of its own embedding
    (a low temperature) it is InfoNCE against the queue, as in CCKT-Det.

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        keys: (K, D) embeddings of regions by the teacher, unit norm; rows of zeros are empty.
        weights: (P,) not negative.
        temperature: tau, for both sides.

    Returns:
        Scalar ``sum_p w_p KL(softmax(v_p . k / tau) || softmax(e_p . k / tau)) / sum_p w_p``. Zero,
        with a graph, if all weights are zero or P = 0.
    """
    filled = keys.any(dim=1)
    with torch.autocast(student.device.type, enabled=False):
        target = _relations(teacher.detach(), keys, temperature, filled)
        found = _relations(student, keys, temperature, filled)
    # empty keys have no share on either side, where the difference would be inf - inf
    terms = torch.where(filled, target.exp() * (target - found), 0)
    return (weights * terms.sum(dim=1)).sum() / weights.sum().clamp(min=1e-6)


def _relations(embeddings: Tensor, keys: Tensor, temperature: float, filled: Tensor) -> Tensor:
    """Return the (P, K) log-softmax over the filled keys; -1e4 and less elsewhere."""
    logits = F.normalize(embeddings.float(), dim=-1) @ keys.float().T / temperature
    return logits.masked_fill(~filled, -1e4).log_softmax(dim=1)
