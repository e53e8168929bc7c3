"""Which weights of a checkpoint find a place in a network, and which ones it lacks."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def count_fitting(own: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> int:
    """Return how many weights have the name and the shape of one of a network's own.

    Args:
        own: the network's ``state_dict``.
        weights: tensors by name; a prefix 'module.', which parallel training adds, is ignored.
    """
    return sum(
        name in own and own[name].shape == value.shape for name, value in _stripped(weights).items()
    )


def missing_weights(own: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> list[str]:
    """Return the names of a network's weights that a checkpoint lacks, or has in another shape.

    Args:
        own: weights of the network by name.
        weights: as for ``count_fitting``.
    """
    given = _stripped(weights)
    return [k for k, v in own.items() if k not in given or given[k].shape != v.shape]


def _stripped(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("module."): value for name, value in weights.items()}
