"""Count the weights of a checkpoint that find a place in a network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def count_fitting(own: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> int:
    """Return how many weights have the name and the shape of one of a network's own.

    Args:
        own: the network's ``state_dict``.
        weights: tensors by name; a prefix 'module.', which parallel training adds, is ignored.
    """
    stripped = ((name.removeprefix("module."), value) for name, value in weights.items())
    return sum(name in own and own[name].shape == value.shape for name, value in stripped)
