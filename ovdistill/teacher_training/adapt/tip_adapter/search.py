"""Chooses alpha and beta of Tip-Adapter.

Shapes: n held-out regions, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ovdistill.teacher.adapters.formulas import cache_logits

ALPHAS = tuple(0.1 * 2 ** (step / 2) for step in range(14))  # 0.1 to 9
BETAS = (0.5, 1.0, 2.0, 3.5, 5.5, 8.0, 12.0, 20.0)


def search(
    similarities: Tensor,
    affinities_of: Callable[[float], Tensor],
    labels: Tensor,
    alphas: Sequence[float] = ALPHAS,
    betas: Sequence[float] = BETAS,
) -> tuple[float, float, float]:
    """Return the alpha and beta of the best accuracy; of equals the smallest alpha, then beta.

    Args:
        similarities: (n, C) ``f . t / tau``.
        affinities_of: returns A, (n, C), for a beta.
        labels: (n,) int64 in [0, C), at least one.
        alphas: to try, ascending.
        betas: to try, ascending.

    Returns:
        alpha, beta, and the share of regions that they name right.
    """
    affinities = [affinities_of(beta) for beta in betas]
    tried = []
    for alpha in alphas:
        for beta, of_beta in zip(betas, affinities, strict=True):
            nearest = cache_logits(similarities, of_beta, alpha).argmax(dim=1)
            tried.append((int((nearest == labels).sum()), alpha, beta))
    right, alpha, beta = max(tried, key=lambda found: found[0])  # the first of equals
    return alpha, beta, right / len(labels)
