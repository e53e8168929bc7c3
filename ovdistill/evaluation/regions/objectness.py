"""Whether objectness tells the regions of objects, labelled or not, from all others.

Shapes: P regions of all images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the quantiles
THRESHOLD = 0.5


@dataclass(frozen=True)
class Scores:
    """Objectness of the regions of a kind.

    Attributes:
        regions: how many there are.
        quantiles: at ``LEVELS``; empty without a region.
    """

    regions: int
    quantiles: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """The median; None without a region."""
        return self.quantiles[LEVELS.index(0.5)] if self.quantiles else None


@dataclass(frozen=True)
class Above:
    """Regions on no labelled object, of at least some objectness.

    Attributes:
        threshold: the objectness.
        regions: how many there are.
        share: of all regions on no labelled object; None if there are none.
        novel_share: the part of them that lies on novel objects; None without novel boxes or
            regions.
    """

    threshold: float
    regions: int
    share: float | None
    novel_share: float | None


@dataclass(frozen=True)
class Objectness:
    """Objectness of the regions by what they lie on.

    Attributes:
        labelled: of regions on a labelled object of a base class.
        unlabelled: of all others.
        novel: of the part of these that lies on a novel object; no region without novel boxes.
        rest: of those on no object of the file.
        separation: chance that a labelled region has a higher score than an unlabelled one, ties
            counted half; 0.5 = the score does not tell them apart. None if one kind is missing.
        novel_separation: the same of regions on novel objects against those on no object.
        above_threshold: unlabelled regions from ``THRESHOLD`` on.
        above_median: those from the median of the labelled ones on; None without any.
    """

    labelled: Scores
    unlabelled: Scores
    novel: Scores
    rest: Scores
    separation: float | None
    novel_separation: float | None
    above_threshold: Above
    above_median: Above | None


def measure_objectness(
    scores: Tensor, on_base: Tensor, on_novel: Tensor, *, novel_known: bool
) -> Objectness:
    """Return what objectness tells.

    Args:
        scores: (P,) objectness.
        on_base: (P,) bool, True for regions on a labelled object of a base class.
        on_novel: (P,) bool, True for other regions, on an object of a novel class.
        novel_known: the file has boxes of novel classes.
    """
    kinds: Mapping[str, Tensor] = {
        "labelled": scores[on_base].sort().values,
        "unlabelled": scores[~on_base].sort().values,
        "novel": scores[on_novel].sort().values,
        "rest": scores[~on_base & ~on_novel].sort().values,
    }
    described = {kind: _describe(values) for kind, values in kinds.items()}
    median = described["labelled"].median

    def above(threshold: float) -> Above:
        chosen = ~on_base & (scores >= threshold)
        return _above(threshold, chosen, ~on_base, on_novel, novel_known=novel_known)

    return Objectness(
        **described,
        separation=separation(kinds["labelled"], kinds["unlabelled"]),
        novel_separation=separation(kinds["novel"], kinds["rest"]),
        above_threshold=above(THRESHOLD),
        above_median=None if median is None else above(median),
    )


def separation(higher: Tensor, lower: Tensor) -> float | None:
    """Return the chance that a value of the first tensor is above one of the second.

    This is the area under the ROC curve, from ranks (Mann and Whitney 1947).

    Args:
        higher: (m,) sorted values.
        lower: (n,) sorted values.

    Returns:
        In [0, 1], ties counted half; None if a tensor is empty.
    """
    if not len(higher) or not len(lower):
        return None
    below = torch.searchsorted(lower, higher) + torch.searchsorted(lower, higher, right=True)
    return float(below.double().mean()) / (2 * len(lower))


def _describe(values: Tensor) -> Scores:
    """Return number and quantiles of (m,) sorted values; a quantile is a value that occurs."""
    if not len(values):
        return Scores(0, ())
    rows = (torch.tensor(LEVELS) * (len(values) - 1)).round().long()
    return Scores(len(values), tuple(values[rows].tolist()))


def _above(
    threshold: float, chosen: Tensor, unlabelled: Tensor, on_novel: Tensor, *, novel_known: bool
) -> Above:
    regions, total = int(chosen.sum()), int(unlabelled.sum())
    novel = int((chosen & on_novel).sum())
    return Above(
        threshold=threshold,
        regions=regions,
        share=regions / total if total else None,
        novel_share=novel / regions if regions and novel_known else None,
    )
