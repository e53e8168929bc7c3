"""Shares of a sample, with the interval in which the true share lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

Z = 1.959964  # of the normal distribution, 2.5 % on either side


@dataclass(frozen=True)
class Share:
    """A part of a sample.

    Attributes:
        count: size of the sample.
        share: the part of it, in [0, 1]; None if the sample is empty.
        low: lower end of the 95 % interval.
        high: upper end.
    """

    count: int
    share: float | None
    low: float | None
    high: float | None


def share_of(chosen: Tensor) -> Share:
    """Return the share of True in (n,) bool, with its 95 % interval.

    Source: Wilson (1927), the score interval: it stays in [0, 1], and is right for small samples
    and for shares near 0 and 1. It takes the n for independent, so it is too narrow where they come
    in groups, as objects of one image do.
    """
    n = len(chosen)
    if not n:
        return Share(0, None, None, None)
    share = int(chosen.sum()) / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # at a share of 0 or 1 the end is just that, but for rounding
    return Share(n, share, centre - half if share else 0.0, centre + half if share < 1 else 1.0)
