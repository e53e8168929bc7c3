"""Rank what is right among all that compete with it: class names of a region, images of a caption.

Shapes: n queries, m candidates.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ovdistill.core.errors import UserError


def own_ranks(similarities: Tensor, own: Tensor) -> Tensor:
    """Return how many candidates come before the right one of each query.

    Candidates of equal similarity are in their own order, as in a stable sort: so a teacher to
    which all names are alike is right by chance, not always.

    Args:
        similarities: (n, m).
        own: (n,) int64, the right candidate of each query.

    Returns:
        (n,) int64 in [0, m): 0 if the right one is first.

    Raises:
        UserError: a similarity is NaN, which comes before and behind nothing.
    """
    if similarities.isnan().any():
        raise UserError("embeddings with NaN cannot be ranked; expected finite ones")
    value = similarities.gather(1, own[:, None])
    earlier = torch.arange(similarities.shape[1], device=own.device) < own[:, None]
    return ((similarities > value) | ((similarities == value) & earlier)).sum(dim=1)
