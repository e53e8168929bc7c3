"""How well two runs of a detector on the same image agree.

Shapes: n detections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ovdistill.inference.detections import Detections

MOST_SCORE_DIFFERENCE = 1e-3
LEAST_IOU = 0.99


@dataclass(frozen=True)
class Agreement:
    """The differences between the detections of two runs.

    Attributes:
        detections: how many were compared.
        unmatched: how many have no counterpart of the same name with an IoU above 0.5.
        score: the largest difference of scores of the others.
        box_iou: the smallest IoU of their boxes.
        mask_iou: the smallest IoU of their masks; 1 without masks.
    """

    detections: int = 0
    unmatched: int = 0
    score: float = 0.0
    box_iou: float = 1.0
    mask_iou: float = 1.0

    @property
    def is_close(self) -> bool:
        """Whether all differences are those of rounding: scores to 0.001, IoU above 0.99."""
        return (
            not self.unmatched
            and self.score < MOST_SCORE_DIFFERENCE
            and min(self.box_iou, self.mask_iou) > LEAST_IOU
        )

    def __str__(self) -> str:
        return (
            f"{self.detections} detections, {self.unmatched} without counterpart; largest score "
            f"difference {self.score:.1e}, smallest IoU of boxes {self.box_iou:.4f}, of masks "
            f"{self.mask_iou:.4f}"
        )


def agreement(found: Detections, expected: Detections, least_score: float) -> Agreement:
    """Compare the detections of an image with a score of ``least_score`` or more in either run.

    Args:
        found: of one run, with some detections of lower scores, so that counterparts are there.
        expected: likewise of the other run.
        least_score: detections with lower scores need no counterpart.
    """
    pairs = [*_pairs(found, expected, least_score), *_pairs(expected, found, least_score)]
    matched = [(a, i, b, j) for a, i, b, j in pairs if j >= 0]
    return Agreement(
        detections=len(pairs),
        unmatched=len(pairs) - len(matched),
        score=max((abs(float(a.scores[i] - b.scores[j])) for a, i, b, j in matched), default=0.0),
        box_iou=min((_box_iou(a.boxes[i], b.boxes)[j] for a, i, b, j in matched), default=1.0),
        mask_iou=min((_mask_iou(a, i, b, j) for a, i, b, j in matched), default=1.0),
    )


def together(agreements: Iterable[Agreement]) -> Agreement:
    """Return the agreement over several images."""
    own = [Agreement(), *agreements]
    return Agreement(
        sum(one.detections for one in own),
        sum(one.unmatched for one in own),
        max(one.score for one in own),
        min(one.box_iou for one in own),
        min(one.mask_iou for one in own),
    )


def _pairs(
    found: Detections, others: Detections, least_score: float
) -> list[tuple[Detections, int, Detections, int]]:
    """Return each detection with its counterpart, the one of its name that overlaps it most."""
    pairs = []
    names = np.array(others.names, dtype=object)
    for index in (found.scores >= least_score).nonzero()[0].tolist():
        iou = np.where(names == found.names[index], _box_iou(found.boxes[index], others.boxes), 0)
        best = int(iou.argmax()) if len(iou) and iou.max() > 0.5 else -1
        pairs.append((found, index, others, best))
    return pairs


def _box_iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = (high - low).clip(0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return shared / np.maximum(areas - shared, 1e-9)


def _mask_iou(a: Detections, i: int, b: Detections, j: int) -> float:
    own, other = a[i].masks, b[j].masks
    if own is None or other is None:
        return 1.0
    union = np.count_nonzero(own | other)
    return np.count_nonzero(own & other) / union if union else 1.0
