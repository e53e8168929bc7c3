"""Chooses alpha and beta of Tip-Adapter (this file imports torch only).

Shapes: n held-out regions, C classes, D embedding width, K keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

ALPHAS = tuple(0.1 * 2 ** (step / 2) for step in range(14))  # 0.1 to 9
BETAS = (0.5, 1.0, 2.0, 3.5, 5.5, 8.0, 12.0, 20.0)


def search(
    similarities: Tensor,
    affinity_of: Callable[[float], Tensor],
    labels: Tensor,
    alphas: Sequence[float] = ALPHAS,
    betas: Sequence[float] = BETAS,
) -> tuple[float, float, float]:
    """Return the alpha and beta of the best accuracy; of equals the smallest alpha.

    Args:
        similarities: (n, C) ``f . t / tau``.
        affinity_of: returns A, (n, C), for a beta.
        labels: (n,) int64 in [0, C).
        alphas: to try, ascending.
        betas: to try.

    Returns:
        alpha, beta, and the share of regions that they name right.
    """
    affinities = [affinity_of(beta) for beta in betas]
    best = (-1, alphas[0], betas[0])
    for alpha in alphas:
        for beta, affinity in zip(betas, affinities, strict=True):
            logits = similarities + alpha * affinity
            right = int((logits.argmax(dim=1) == labels).sum())
            if right > best[0]:
                best = (right, alpha, beta)
    right, alpha, beta = best
    return alpha, beta, right / max(1, len(labels))


def cache_logits(similarities: Tensor, affinity: Tensor, alpha: float) -> Tensor:
    """Return Tip-Adapter's logits, ``f . t / tau + alpha A``.

    Args:
        similarities: (n, C) ``f . t / tau``.
        affinity: (n, C) A.
        alpha: weight of the cache.

    Returns:
        (n, C).
    """
    return similarities + torch.as_tensor(alpha) * affinity
