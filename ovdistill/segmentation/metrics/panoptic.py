"""Panoptic quality (Kirillov et al., CVPR 2019, "Panoptic Segmentation"), as panopticapi counts it.

Of one class, over all images: PQ = sum of IoU over matches / (TP + FP / 2 + FN / 2), which is
SQ x RQ: the mean IoU of the matches, and how many segments were matched. A predicted segment
matches one of the truth of the same class where their IoU is above 0.5, so it matches at most one.
Pixels that the truth does not label do not count for the union.

No false positive is a predicted segment that lies for more than half on unlabelled pixels or on a
crowd of its class. Crowds are neither to be found nor to be matched. (panopticapi takes one crowd
of a class in an image; here all of them are one.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.label_map import CROWD, IGNORE
from ovdistill.segmentation.metrics.groups import group_means, harmonic_mean, percent

MATCHED = 0.5  # IoU above which two segments match
FIGURES = ("PQ", "SQ", "RQ")


@dataclass(frozen=True)
class Segments:
    """The segments of one image.

    Attributes:
        place: (H, W) int64, index of each pixel's segment, from 1; 0 = no segment.
        row: (S,) int64, the row of each segment.
        is_crowd: (S,) bool.
        area: (S,) int64, pixels.
    """

    place: np.ndarray
    row: np.ndarray
    is_crowd: np.ndarray
    area: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, numbers: np.ndarray) -> Segments:
        """Make the segments of a pair of maps, see ``data.label_map``.

        Args:
            rows: (H, W) rows of classes, or ``IGNORE``.
            numbers: (H, W) segment numbers from 0, or ``CROWD``.
        """
        span = int(numbers.max(initial=0)) - CROWD + 1
        keys = np.where(rows == IGNORE, -1, rows.astype(np.int64) * span + (numbers - CROWD))
        found, place, area = np.unique(keys, return_inverse=True, return_counts=True)
        place = place.reshape(keys.shape)
        if not found.size or found[0] >= 0:
            place = place + 1  # no pixel is without a segment
        else:
            found, area = found[1:], area[1:]
        return cls(place, found // span, found % span == 0, area)


@dataclass(frozen=True)
class SegmentCounts:
    """What one image adds to its classes.

    Attributes:
        row: (C,) int64, the classes that occur, each once.
        iou: (C,) float64, sum of the IoU of matches.
        tp: (C,) int64, matches.
        fp: (C,) int64, predicted segments that match none.
        fn: (C,) int64, segments of the truth that are not matched.
    """

    row: np.ndarray
    iou: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray


def count_segments(truth: Segments, predicted: Segments) -> SegmentCounts:
    """Match the segments of one image.

    Raises:
        UserError: maps of different shapes.
    """
    if truth.place.shape != predicted.place.shape:
        raise UserError(
            f"got a predicted panoptic map of {predicted.place.shape}, its truth has "
            f"{truth.place.shape}; expected the size of the image's file"
        )
    columns = len(predicted.row) + 1
    table = np.bincount(
        truth.place.ravel() * columns + predicted.place.ravel(),
        minlength=(len(truth.row) + 1) * columns,
    ).reshape(-1, columns)
    void, shared = table[0, 1:], table[1:, 1:]
    same = truth.row[:, None] == predicted.row
    union = truth.area[:, None] + predicted.area - shared - void
    iou = np.where(same & ~truth.is_crowd[:, None], shared / union, 0)
    i, j = np.nonzero(iou > MATCHED)
    missed = ~truth.is_crowd
    missed[i] = False
    crowd = (shared * (same & truth.is_crowd[:, None])).sum(0)
    wrong = (void + crowd) / np.maximum(predicted.area, 1) <= 0.5
    wrong[j] = False
    rows = np.unique(np.concatenate([truth.row[~truth.is_crowd], predicted.row]))

    def per_class(found: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(np.searchsorted(rows, found), weights, minlength=len(rows))

    return SegmentCounts(
        row=rows,
        iou=per_class(truth.row[i], iou[i, j]).astype(np.float64),
        tp=per_class(truth.row[i]),
        fp=per_class(predicted.row[wrong]),
        fn=per_class(truth.row[missed]),
    )


@dataclass(frozen=True)
class PanopticScores:
    """Sums of W classes over all images, and what follows from them.

    Attributes:
        iou: (W,) float64, sum of the IoU of matches.
        tp: (W,) int64.
        fp: (W,) int64.
        fn: (W,) int64.
        is_base: (W,) whether a class is base.
    """

    iou: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    is_base: tuple[bool, ...]

    @classmethod
    def of(cls, images: Iterable[SegmentCounts], is_base: Sequence[bool]) -> PanopticScores:
        """Sum the counts of all images.

        Raises:
            UserError: a row that is not one of the W classes.
        """
        classes = len(is_base)
        iou, sums = np.zeros(classes), np.zeros((3, classes), np.int64)
        for image in images:
            if image.row.size and image.row.max() >= classes:
                raise UserError(
                    f"segments have rows up to {image.row.max()}; expected rows below {classes}, "
                    "the number of classes of the vocabulary"
                )
            iou[image.row] += image.iou
            sums[:, image.row] += image.tp, image.fp, image.fn
        return cls(iou, sums[0], sums[1], sums[2], tuple(is_base))

    def per_class(self) -> dict[str, np.ndarray]:
        """Return (W,) PQ, SQ and RQ in [0, 1]; nan for a class without any segment."""
        weight = self.tp + self.fp / 2 + self.fn / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            matched = np.where(self.tp > 0, self.iou / self.tp, 0)
            return {
                "PQ": self.iou / weight,
                "SQ": np.where(weight > 0, matched, np.nan),
                "RQ": self.tp / weight,
            }

    def metrics(self) -> dict[str, float]:
        """Return the figures in percent, -1.0 for a group without a class.

        PQ, SQ and RQ are means over all classes, with an "s" before them over seen and with a "u"
        over unseen ones; hPQ is the harmonic mean of sPQ and uPQ.
        """
        found: dict[str, float] = {}
        for name, values in self.per_class().items():
            means = group_means(values, self.is_base)
            found |= dict(zip((name, f"s{name}", f"u{name}"), means, strict=True))
        found["hPQ"] = harmonic_mean(found["sPQ"], found["uPQ"])
        return {name: percent(value) for name, value in found.items()}
