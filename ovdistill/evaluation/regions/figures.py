"""Measure a store of regions against labelled objects and class names, in one pass.

Shapes: P regions and G objects of an image, W class names, D embedding width.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.evaluation.ranks import own_ranks
from ovdistill.evaluation.regions.geometry import EmbeddingSums, Geometry, measure_geometry
from ovdistill.evaluation.regions.matching import NO_OBJECT, Objects, match_regions
from ovdistill.evaluation.regions.objectness import Objectness, measure_objectness
from ovdistill.store import Regions


@dataclass(frozen=True)
class Recall:
    """How many objects the regions hold.

    Attributes:
        objects: number of objects.
        at_50: share of them that some region overlaps with an IoU of 0.5 or more; None without an
            object. One region may hold several objects.
        at_75: the same at 0.75.
    """

    objects: int
    at_50: float | None
    at_75: float | None


@dataclass(frozen=True)
class Accuracy:
    """How often the teacher names a region as its label does.

    Attributes:
        regions: number of regions that lie on an object.
        share: of these, the part whose nearest class name is the object's; None without a region
            or without text embeddings.
    """

    regions: int
    share: float | None


@dataclass(frozen=True)
class RegionFigures:
    """What was measured; shares are in [0, 1], None where there is nothing to measure.

    Attributes:
        images: number of images.
        regions: number of their regions.
        names: W, the class names among which the teacher chooses.
        base_recall: of objects of base classes.
        novel_recall: of objects of novel classes, where the annotations have some.
        on_base: share of the regions that lie on a labelled object of a base class (IoU >= 0.5).
        on_novel: share of those on an object of a novel class.
        base_accuracy: of the teacher on regions on base objects: its agreement with the labels.
        novel_accuracy: the same on novel objects.
        objectness: of the regions by what they lie on.
        geometry: of region and text embeddings.
    """

    images: int
    regions: int
    names: int
    base_recall: Recall
    novel_recall: Recall
    on_base: float | None
    on_novel: float | None
    base_accuracy: Accuracy
    novel_accuracy: Accuracy
    objectness: Objectness
    geometry: Geometry


def measure_regions(
    images: Iterable[tuple[Regions, Objects]],
    embed_dim: int,
    is_base: Tensor,
    texts: Tensor | None = None,
) -> RegionFigures:
    """Measure the regions of some images.

    Args:
        images: regions and labelled objects of each image.
        embed_dim: D.
        is_base: (W,) bool, True = base, False = novel.
        texts: (W, D) text embeddings of the class names; None leaves out what needs them.

    Raises:
        UserError: no images.
    """
    seen = _Seen(embed_dim, is_base, texts)
    for regions, objects in images:
        seen.add(regions, objects)
    if not seen.images:
        raise UserError("no image whose regions could be measured; expected one or more")
    return seen.figures()


class _Seen:
    """What is kept of the images: a few numbers for each region and object."""

    def __init__(self, embed_dim: int, is_base: Tensor, texts: Tensor | None) -> None:
        self.is_base = is_base
        self.texts = None if texts is None else F.normalize(texts.float(), dim=-1)
        self.sums = EmbeddingSums(len(is_base), embed_dim)
        self.images = 0
        self.overlap = [torch.zeros(0, dtype=torch.float64)]  # of each object
        self.object_labels = [torch.zeros(0, dtype=torch.int64)]
        self.labels = [torch.zeros(0, dtype=torch.int64)]  # of each region
        self.scores = [torch.zeros(0)]
        self.right = [torch.zeros(0, dtype=torch.bool)]  # the teacher agrees with the label

    def add(self, regions: Regions, objects: Objects) -> None:
        """Add an image."""
        match = match_regions(regions.boxes, objects, self.is_base)
        embeddings = F.normalize(regions.embeddings.float(), dim=-1)
        self.sums.add(embeddings, match.labels)
        self.images += 1
        self.overlap.append(match.overlap)
        self.object_labels.append(objects.labels)
        self.labels.append(match.labels)
        self.scores.append(regions.objectness)
        right = torch.zeros(len(regions), dtype=torch.bool)
        if self.texts is not None:
            on_object = match.labels != NO_OBJECT
            similarities = embeddings[on_object] @ self.texts.T
            right[on_object] = own_ranks(similarities, match.labels[on_object]) == 0
        self.right.append(right)

    def figures(self) -> RegionFigures:
        """Return what the images show together."""
        labels, right = torch.cat(self.labels), torch.cat(self.right)
        base, novel = self._by_split(labels)
        overlap = torch.cat(self.overlap)
        base_objects, novel_objects = self._by_split(torch.cat(self.object_labels))
        named = self.texts is not None
        return RegionFigures(
            images=self.images,
            regions=len(labels),
            names=len(self.is_base),
            base_recall=_recall(overlap[base_objects]),
            novel_recall=_recall(overlap[novel_objects]),
            on_base=_share(base),
            on_novel=_share(novel) if novel_objects.any() else None,
            base_accuracy=Accuracy(int(base.sum()), _share(right[base]) if named else None),
            novel_accuracy=Accuracy(int(novel.sum()), _share(right[novel]) if named else None),
            objectness=measure_objectness(
                torch.cat(self.scores), base, novel, novel_known=bool(novel_objects.any())
            ),
            geometry=measure_geometry(self.sums, self.texts),
        )

    def _by_split(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return which of (n,) labels are of base and which of novel classes."""
        is_base = F.pad(self.is_base, (0, 1))[labels]  # the last, -1, is no class
        return is_base, ~is_base & (labels != NO_OBJECT)


def _recall(overlap: Tensor) -> Recall:
    return Recall(len(overlap), _share(overlap >= 0.5), _share(overlap >= 0.75))


def _share(chosen: Tensor) -> float | None:
    """Return the share of True in (n,) bool; None if n is 0."""
    return float(chosen.double().mean()) if len(chosen) else None
