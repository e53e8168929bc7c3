"""Draws few-shot samples: k regions of each class, the same for a seed."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_shots(labels: Tensor, shots: int, seed: int = 0) -> Tensor:
    """Return rows of at most ``shots`` samples of each class, drawn at random.

    Args:
        labels: (n,) int64.
        shots: samples of a class; of a class that has fewer, all are taken.
        seed: of the drawing.

    Returns:
        (m,) int64 rows, ascending.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    return order[rank_in_class(labels[order]) < shots].sort().values


def rank_in_class(labels: Tensor) -> Tensor:
    """Return how many samples of the same class come before each one, (n,) int64.

    Args:
        labels: (n,) int64, 0 or more.
    """
    by_class = labels.argsort(stable=True)
    counts = labels.bincount()
    first = counts.cumsum(0) - counts  # of each class, among the sorted ones
    ranks = torch.empty_like(labels)
    ranks[by_class] = torch.arange(len(labels)) - first[labels[by_class]]
    return ranks
