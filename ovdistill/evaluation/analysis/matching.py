"""Which detections find which objects, by COCO's rules, without a loop over boxes.

Shapes: n detections, G objects, p pairs of a detection and an object of its image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ovdistill.evaluation.analysis.scene import Found, Scene, Truth, rank_in_group

FOREGROUND = 0.5  # IoU at which a detection finds an object
BACKGROUND = 0.1  # IoU below which a detection has nothing to do with an object
NONE = -1  # in place of an index
BLOCK = 4_000_000  # pairs to look at together, which take some 400 MB


@dataclass(frozen=True, eq=False)
class Pairs:
    """p pairs of a detection and an object of any class in the same image, by detection.

    Attributes:
        found: (p,) int64, indices of detections.
        truth: (p,) int64, indices of objects.
        overlap: (p,) float64: IoU; of a crowd the share of the detection that lies in it.
    """

    found: np.ndarray
    truth: np.ndarray
    overlap: np.ndarray

    def where(self, chosen: np.ndarray) -> Pairs:
        """Return the pairs of a (p,) mask."""
        return Pairs(self.found[chosen], self.truth[chosen], self.overlap[chosen])

    def best(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the object that each detection overlaps most.

        Args:
            count: n, the number of detections.

        Returns:
            (n,) int64 objects, ``NONE`` for a detection without a pair, and (n,) float64 overlaps,
            0 there.
        """
        order = np.lexsort((self.truth, self.overlap, self.found))
        last = order[np.flatnonzero(np.diff(self.found[order], append=NONE))]
        objects, overlaps = np.full(count, NONE), np.zeros(count)
        objects[self.found[last]] = self.truth[last]
        overlaps[self.found[last]] = self.overlap[last]
        return objects, overlaps


@dataclass(frozen=True, eq=False)
class Matching:
    """What the detections find.

    Attributes:
        truth: (n,) int64, the object that each detection finds, or ``NONE``.
        ignored: (n,) bool, detections that are neither right nor wrong.
    """

    truth: np.ndarray
    ignored: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Return the (n,) mask of detections that find an object."""
        return self.truth != NONE

    @property
    def wrong(self) -> np.ndarray:
        """Return the (n,) mask of false positives."""
        return ~self.right & ~self.ignored


def find_pairs(found: Found, truth: Truth, least: float = BACKGROUND) -> Pairs:
    """Return the pairs that overlap by ``least`` or more."""
    by_image = np.argsort(truth.images, kind="stable")
    images = truth.images[by_image]
    first = np.searchsorted(images, found.images, "left")
    count = np.searchsorted(images, found.images, "right") - first
    parts = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for block in _blocks(count):
        detections = np.repeat(block, count[block])
        objects = by_image[np.repeat(first[block], count[block]) + rank_in_group(detections)]
        overlap = _overlap(found.boxes[detections], truth.boxes[objects], truth.crowd[objects])
        kept = overlap >= least
        parts.append(Pairs(detections[kept], objects[kept], overlap[kept]))
    return Pairs(
        np.concatenate([part.found for part in parts]),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.overlap for part in parts]),
    )


def match_detections(
    found: Found, scene: Scene, pairs: Pairs, threshold: float = FOREGROUND
) -> Matching:
    """Match detections and objects of a class one to one, by COCO's and LVIS's rules.

    In each image and class the detections choose in the order of their scores, each the object that
    it overlaps most of those that are left.

    Args:
        found: n detections.
        scene: G objects.
        pairs: of the two.
        threshold: the smallest IoU.
    """
    truth = scene.truth
    own = pairs.where(
        (pairs.overlap >= threshold) & (found.labels[pairs.found] == truth.labels[pairs.truth])
    )
    matched = _choose(found, own.where(~truth.crowd[own.truth]), len(truth))
    in_crowd = np.zeros(len(found), dtype=bool)
    in_crowd[own.found[truth.crowd[own.truth]]] = True
    unchecked = ~scene.checked[found.images, found.labels]
    incomplete = ~scene.complete[found.images, found.labels]
    free = matched == NONE
    return Matching(matched, free & (in_crowd | unchecked | incomplete))


def _choose(found: Found, pairs: Pairs, objects: int) -> np.ndarray:
    """Return the (n,) objects that detections choose; those of the same rank choose together.

    The ranks are those of an image and class, so that no two of a rank want the same object.
    """
    matched, taken = np.full(len(found), NONE), np.zeros(objects, dtype=bool)
    choosing = np.unique(pairs.found)  # best first in each image
    order = np.lexsort((choosing, found.labels[choosing], found.images[choosing]))
    group = found.images[choosing] * (found.labels.max(initial=0) + 1) + found.labels[choosing]
    rank = np.zeros(len(found), dtype=np.int64)
    rank[choosing[order]] = rank_in_group(group[order])
    order = np.lexsort((pairs.truth, pairs.overlap, pairs.found, rank[pairs.found]))
    turns = np.flatnonzero(np.diff(rank[pairs.found[order]])) + 1
    for turn in np.split(order, turns):
        free = turn[~taken[pairs.truth[turn]]]
        best = free[np.flatnonzero(np.diff(pairs.found[free], append=NONE))]
        matched[pairs.found[best]] = pairs.truth[best]
        taken[pairs.truth[best]] = True
    return matched


def _blocks(count: np.ndarray) -> Iterator[np.ndarray]:
    """Divide indices of detections so that each part has about ``BLOCK`` pairs."""
    number = np.cumsum(count) // BLOCK
    yield from np.split(np.arange(len(count)), np.flatnonzero(np.diff(number)) + 1)


def _overlap(a: np.ndarray, b: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Return the (p,) IoU of boxes (p, 4) xyxy; of a crowd in b the share of a inside it."""
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    common = sides.clip(min=0).prod(axis=1)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(axis=1) for box in (a, b))
    whole = np.where(crowd, area_a, area_a + area_b - common)
    return np.divide(common, whole, out=np.zeros(len(common)), where=whole > 0)
