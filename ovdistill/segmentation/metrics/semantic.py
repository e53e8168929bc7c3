"""IoU of classes from counts of pixels, as mmsegmentation defines it.

For a class: intersection / (pixels of the truth + pixels of the prediction - intersection), over
all labelled pixels of all images together. Pixels that the truth does not label have no say,
whatever is predicted there. A labelled pixel without a prediction (``IGNORE``) is an error for its
class.

A class that neither the truth nor a prediction has is nan and has no part in a mean. One that is
only predicted has IoU 0, and counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.datasets.names.label_table import MOST_VALUE
from ovdistill.segmentation.data.label_map import IGNORE
from ovdistill.segmentation.metrics.groups import group_means, harmonic_mean, percent

NAMES = ("mIoU", "sIoU", "uIoU", "hIoU", "pAcc", "mAcc")


@dataclass(frozen=True)
class PixelPairs:
    """How often a row of the truth met a row of the prediction, for the pairs that occur.

    Attributes:
        truth: (P,) int64, rows of the truth, never ``IGNORE``.
        predicted: (P,) int64, rows of the prediction, or ``IGNORE``.
        count: (P,) int64, number of pixels, above 0.
    """

    truth: np.ndarray
    predicted: np.ndarray
    count: np.ndarray


def count_pairs(truth: np.ndarray, predicted: np.ndarray) -> PixelPairs:
    """Count the pairs of rows of one image.

    Args:
        truth: label map, whole numbers, ``IGNORE`` where it is not labelled.
        predicted: label map of the same shape.

    Raises:
        UserError: maps of different shapes.
    """
    if truth.shape != predicted.shape:
        raise UserError(
            f"got a predicted label map of {predicted.shape}, its truth has {truth.shape}; "
            "expected the size of the image's file (in a test, LoadLabelMap stands behind the "
            "transforms that resize)"
        )
    labelled = truth != IGNORE
    # in terms of the rows that occur, so that the table stays small for any vocabulary
    rows, first = _occurring(truth[labelled])
    found, second = _occurring(predicted[labelled])
    table = np.bincount(first * len(found) + second, minlength=len(rows) * len(found))
    table = table.reshape(len(rows), len(found))
    i, j = np.nonzero(table)
    return PixelPairs(rows[i], found[j], table[i, j])


def sum_pairs(images: Iterable[PixelPairs]) -> PixelPairs:
    """Return the pairs of all images together, by rising rows."""
    counts: Counter[tuple[int, int]] = Counter()
    for one in images:
        pairs = zip(one.truth.tolist(), one.predicted.tolist(), strict=True)
        counts.update(dict(zip(pairs, one.count.tolist(), strict=True)))
    rows = np.array(sorted(counts), dtype=np.int64).reshape(-1, 2)
    total = np.array([counts[pair] for pair in sorted(counts)], dtype=np.int64)
    return PixelPairs(rows[:, 0], rows[:, 1], total)


@dataclass(frozen=True)
class SemanticScores:
    """Pixels of each of W classes over all images, and what follows from them.

    Attributes:
        intersection: (W,) int64, pixels where truth and prediction are the class.
        truth: (W,) int64, pixels of the truth.
        predicted: (W,) int64, labelled pixels where it is predicted.
        is_base: (W,) whether a class is base.
    """

    intersection: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    is_base: tuple[bool, ...]

    @classmethod
    def of(cls, images: Iterable[PixelPairs], is_base: Sequence[bool]) -> SemanticScores:
        """Sum the pairs of all images.

        Args:
            images: of each image.
            is_base: (W,) whether each class is base.

        Raises:
            UserError: a row that is not one of the W classes.
        """
        classes = len(is_base)
        sums = np.zeros((3, classes), np.int64)
        for pairs in images:
            _check_rows(pairs, classes)
            equal, given = pairs.truth == pairs.predicted, pairs.predicted != IGNORE
            np.add.at(sums[0], pairs.truth[equal], pairs.count[equal])
            np.add.at(sums[1], pairs.truth, pairs.count)
            np.add.at(sums[2], pairs.predicted[given], pairs.count[given])
        return cls(sums[0], sums[1], sums[2], tuple(is_base))

    @property
    def iou(self) -> np.ndarray:
        """(W,) IoU of each class in [0, 1]; nan for one that occurs nowhere."""
        return _divide(self.intersection, self.truth + self.predicted - self.intersection)

    @property
    def accuracy(self) -> np.ndarray:
        """(W,) share of a class's pixels that are found; nan without a pixel of it."""
        return _divide(self.intersection, self.truth)

    @property
    def pixel_accuracy(self) -> float:
        """Share of all labelled pixels that are right; nan without one."""
        return float(_divide(self.intersection.sum(), self.truth.sum()))

    def metrics(self) -> dict[str, float]:
        """Return the figures of ``NAMES`` in percent, -1.0 for a group without a class.

        mIoU over all classes, sIoU over seen and uIoU over unseen ones, hIoU the harmonic mean of
        those two, pAcc the share of pixels and mAcc the mean share over classes.
        """
        mean, seen, unseen = group_means(self.iou, self.is_base)
        found = (
            *(mean, seen, unseen, harmonic_mean(seen, unseen)),
            *(self.pixel_accuracy, group_means(self.accuracy, self.is_base)[0]),
        )
        return dict(zip(NAMES, map(percent, found), strict=True))


def _occurring(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that occur, ascending, and the place of each pixel's row among them."""
    low, high = int(rows.min(initial=0)), int(rows.max(initial=0))
    if not IGNORE <= low <= high <= MOST_VALUE:
        raise UserError(
            f"a label map has rows {low} to {high}; expected {IGNORE} to {MOST_VALUE} at most"
        )
    shifted = rows.astype(np.int64, copy=False) - IGNORE  # which unsigned numbers cannot hold
    # np.unique would sort, which takes ten times as long
    counts = np.bincount(shifted)
    found = np.flatnonzero(counts)
    place = np.zeros(len(counts), np.int64)
    place[found] = np.arange(len(found))
    return found + IGNORE, place[shifted]


def _check_rows(pairs: PixelPairs, classes: int) -> None:
    for what, rows in (("truth", pairs.truth), ("prediction", pairs.predicted)):
        if rows.size and not IGNORE <= rows.min() <= rows.max() < classes:
            raise UserError(
                f"the {what} has rows {rows.min()} to {rows.max()}; expected {IGNORE} to "
                f"{classes - 1}, for the {classes} classes of the vocabulary"
            )


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.true_divide(above, below)
