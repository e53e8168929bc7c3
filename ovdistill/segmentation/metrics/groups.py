"""Means of the figures of classes: over all, over seen (base) and over unseen (novel) ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def group_means(values: np.ndarray, is_base: Sequence[bool]) -> tuple[float, float, float]:
    """Return the means over all, seen and unseen classes, of those that are not nan.

    Args:
        values: (W,) float64, nan for a class that has no say.
        is_base: (W,) whether each class is base.

    Returns:
        Three means; nan for a group without a number.
    """
    seen = np.asarray(is_base, bool)
    return _mean(values), _mean(values[seen]), _mean(values[~seen])


def harmonic_mean(seen: float, unseen: float) -> float:
    """Return 2 s u / (s + u), or 0 where both are 0; nan if one is nan."""
    if seen == unseen == 0:
        return 0.0
    return 2 * seen * unseen / (seen + unseen)


def percent(value: float) -> float:
    """Return a share in percent, or -1.0 for nan, as the metrics of detection have it."""
    return -1.0 if math.isnan(value) else 100 * float(value)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan
