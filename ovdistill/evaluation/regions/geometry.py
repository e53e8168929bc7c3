"""The geometry of a teacher's space: how near regions and class names are to each other.

CLIP has a modality gap (Liang et al. 2022, arXiv 2203.02053): images lie in one cone, texts in
another, so that an image is nearer to any other image than to its own name.

All means over pairs come from sums of unit vectors: the cosines of all pairs of n vectors add up to
``|sum|^2 - n``, and those of pairs of different classes to ``|sum|^2 - sum_c |sum of class c|^2``.
So every pair counts, and none is drawn.

Shapes: P regions, W class names, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.evaluation.regions.matching import NO_OBJECT


@dataclass(frozen=True)
class MeanCosine:
    """A mean over pairs of unit vectors.

    Attributes:
        cosine: the mean; None without a pair.
        pairs: how many pairs it is over, each counted once.
    """

    cosine: float | None
    pairs: int


@dataclass(frozen=True)
class Geometry:
    """Mean cosines; "regions" are those that lie on a labelled object, unless all are named.

    Attributes:
        own_name: of a region and the class name of its object.
        other_names: of a region and all other class names.
        different_classes: of two regions of different classes.
        same_class: of two regions of the same class.
        between_names: of two class names.
        regions_to_mean: of all regions, labelled or not, and their mean; pairs are regions.
        names_to_mean: of the class names and their mean; pairs are names.
    """

    own_name: MeanCosine
    other_names: MeanCosine
    different_classes: MeanCosine
    same_class: MeanCosine
    between_names: MeanCosine
    regions_to_mean: MeanCosine
    names_to_mean: MeanCosine


class EmbeddingSums:
    """Sums of the unit embeddings of regions, of each class and of all.

    Args:
        names: W, the number of classes.
        embed_dim: D.

    Attributes:
        of_class: (W, D) float64, the sum over the regions that lie on an object of each class.
        counts: (W,) int64, how many regions these are.
        of_all: (D,) float64, the sum over all regions.
        total: how many regions there are.
    """

    def __init__(self, names: int, embed_dim: int) -> None:
        self.of_class = torch.zeros(names, embed_dim, dtype=torch.float64)
        self.counts = torch.zeros(names, dtype=torch.int64)
        self.of_all = torch.zeros(embed_dim, dtype=torch.float64)
        self.total = 0

    def add(self, embeddings: Tensor, labels: Tensor) -> None:
        """Add the regions of an image.

        Args:
            embeddings: (P, D) unit norm.
            labels: (P,) int64, ``NO_OBJECT`` for regions that lie on no labelled object.
        """
        on_object = labels != NO_OBJECT
        self.of_class.index_add_(0, labels[on_object], embeddings[on_object].double())
        self.counts += labels[on_object].bincount(minlength=len(self.counts))
        self.of_all += embeddings.double().sum(dim=0)
        self.total += len(embeddings)


def measure_geometry(sums: EmbeddingSums, texts: Tensor | None) -> Geometry:
    """Return the mean cosines of regions and class names.

    Args:
        sums: of the regions.
        texts: (W, D) text embeddings of the class names; None leaves out what needs them.
    """
    counts = sums.counts.tolist()
    labelled = sum(counts)
    own_pairs = sum(count * count for count in counts)
    square = float(sums.of_class.square().sum())
    everything = float(sums.of_class.sum(dim=0).square().sum())
    names = 0 if texts is None else len(texts)
    own = all_names = between = names_mean = 0.0
    if texts is not None:
        unit = F.normalize(texts.double(), dim=-1)
        total = unit.sum(dim=0)
        own = float((sums.of_class * unit).sum())
        all_names = float(sums.of_class.sum(dim=0) @ total)
        between = float(total.square().sum()) - names
        names_mean = float(total.norm())
    return Geometry(
        own_name=_mean(own, labelled if names else 0),
        other_names=_mean(all_names - own, labelled * max(names - 1, 0)),
        different_classes=_mean((everything - square) / 2, (labelled**2 - own_pairs) // 2),
        same_class=_mean((square - labelled) / 2, (own_pairs - labelled) // 2),
        between_names=_mean(between / 2, names * (names - 1) // 2),
        # the cosines of unit vectors to the direction of their sum add up to its length
        regions_to_mean=_mean(float(sums.of_all.norm()), sums.total),
        names_to_mean=_mean(names_mean, names),
    )


def gap_norm(sums: EmbeddingSums, texts: Tensor) -> float | None:
    """Return the length of the gap: from the mean of the regions to that of the class names.

    Source: Liang et al. 2022. The longest that unit vectors allow is 2.

    Args:
        sums: of the regions.
        texts: (W, D) text embeddings of the class names.

    Returns:
        None without a region.
    """
    if not sums.total:
        return None
    names = F.normalize(texts.double(), dim=-1).mean(dim=0)
    return float((sums.of_all / sums.total - names).norm())


def _mean(total: float, pairs: int) -> MeanCosine:
    return MeanCosine(total / pairs if pairs else None, pairs)
