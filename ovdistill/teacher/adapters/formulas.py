"""The formulas of the adapters on plain tensors (this file imports torch only).

Shapes: n embeddings, D their width, H width of a bottleneck, C classes, K keys.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def mix_bottleneck(embeddings: Tensor, down: Tensor, up: Tensor, ratio: float) -> Tensor:
    """Return CLIP-Adapter's ``normalize(ratio relu(relu(e down^T) up^T) + (1 - ratio) e)``.

    Args:
        embeddings: (n, D) unit norm.
        down: (H, D).
        up: (D, H).
        ratio: share of the bottleneck.

    Returns:
        (n, D) unit norm.
    """
    bottleneck = F.relu(F.linear(F.relu(F.linear(embeddings, down)), up))
    return F.normalize(ratio * bottleneck + (1 - ratio) * embeddings, dim=-1)


def affinity(
    embeddings: Tensor, keys: Tensor, key_classes: Tensor, classes: int, beta: float
) -> Tensor:
    """Return Tip-Adapter's ``A_c = sum over the keys k of class c of exp(-beta (1 - f . k))``.

    Args:
        embeddings: (n, D) unit norm.
        keys: (K, D) unit norm.
        key_classes: (K,) int64 in [0, C).
        classes: C.
        beta: sharpness.

    Returns:
        (n, C).
    """
    near = torch.exp(-beta * (1 - embeddings @ keys.T))
    return near @ F.one_hot(key_classes, classes).to(near)


def cache_logits(similarities: Tensor, affinities: Tensor, alpha: float) -> Tensor:
    """Return Tip-Adapter's logits, ``f . t / tau + alpha A``.

    Args:
        similarities: (n, C) ``f . t / tau``.
        affinities: (n, C) A.
        alpha: weight of the cache.

    Returns:
        (n, C).
    """
    return similarities + alpha * affinities
