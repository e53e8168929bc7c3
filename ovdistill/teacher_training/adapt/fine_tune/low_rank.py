"""LoRA: weights that change by a product of two thin matrices (this file imports torch only).

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685.

Shapes: O rows of a weight, I all its other dimensions together, r the rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

# The weights of a layer that are matrices between features; torch's attention packs three in one.
WEIGHTS: tuple[tuple[type[nn.Module], tuple[str, ...]], ...] = (
    (nn.Linear, ("weight",)),
    (nn.Conv2d, ("weight",)),
    (nn.MultiheadAttention, ("in_proj_weight",)),
)


class LowRank(nn.Module):
    """``W + B A``, section 4.1 of the paper with alpha = r; B is zero at first.

    Args:
        weight: (O, ...) the weight, for its shape.
        rank: r; less where the weight has fewer rows or columns.

    Attributes:
        down: A, (r, I).
        up: B, (O, r).
    """

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = weight.flatten(1).shape
        rank = min(rank, rows, columns)
        self.down = nn.Parameter(torch.empty(rank, columns, device=weight.device))
        self.up = nn.Parameter(torch.zeros(rows, rank, device=weight.device))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)  # as in the released code

    def forward(self, weight: Tensor) -> Tensor:
        """Return the changed weight, in the shape of ``weight``."""
        return weight + (self.up @ self.down).reshape(weight.shape)


def add_low_rank(model: nn.Module, rank: int) -> list[nn.Parameter]:
    """Let the matrices of linear, convolution and attention layers change in low rank.

    Args:
        model: changed in place; its own parameters should have no gradient.
        rank: r.

    Returns:
        The parameters to learn.
    """
    learned = []
    for layer, name in [*_weights(model)]:
        change = LowRank(getattr(layer, name), rank)
        parametrize.register_parametrization(layer, name, change)
        learned += [change.down, change.up]
    return learned


def merge_low_rank(model: nn.Module) -> None:
    """Make the changes of ``add_low_rank`` part of the weights, in place."""
    for layer in [*model.modules()]:
        if parametrize.is_parametrized(layer):
            for name in [*cast(nn.ModuleDict, layer.parametrizations)]:
                parametrize.remove_parametrizations(layer, name, leave_parametrized=True)


def _weights(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Yield layers with the names of their matrices."""
    for layer in model.modules():
        for kind, names in WEIGHTS:
            if isinstance(layer, kind):
                yield from ((layer, n) for n in names if getattr(layer, n, None) is not None)
