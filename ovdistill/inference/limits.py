"""Which detections in an image a user gets. Imports no torch, as ``OnnxDetector`` needs it too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.inference.detections import Detections


@dataclass(frozen=True)
class Limits:
    """Which detections in an image are returned.

    Attributes:
        score_threshold: the lowest score of names that ``thresholds`` does not have.
        max_dets: the largest number of detections.
        same_object: detections of two class names whose boxes overlap by more than this IoU are of
            one object, and only the better one is returned; 1 returns both.
        thresholds: the lowest score of some names.
    """

    score_threshold: float = 0.3
    max_dets: int = 100
    same_object: float = 0.7
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def lowest(self) -> float:
        """The lowest score of any name."""
        return min([self.score_threshold, *self.thresholds.values()])

    def applied(self, found: Detections) -> Detections:
        """Return the detections that reach the scores of their names, at most ``max_dets``."""
        least = [self.thresholds.get(name, self.score_threshold) for name in found.names]
        fit = found.scores >= np.array(least, dtype=np.float32)
        if fit.all() and len(found) <= self.max_dets:
            return found
        return found[fit.nonzero()[0][: self.max_dets]]


def make_limits(
    score_threshold: float | Mapping[str, float], max_dets: int, queries: Sequence[str]
) -> Limits:
    """Return limits from one score, or from the scores of some names.

    Args:
        score_threshold: the lowest score of all names, or of some.
        max_dets: the largest number of detections.
        queries: the names that are looked for.

    Raises:
        UserError: a score of a name that is not looked for, or no number in [0, 1]; or fewer than
            one detection.
    """
    if max_dets < 1:
        raise UserError(f"got max_dets = {max_dets}; expected 1 or more")
    given = score_threshold if isinstance(score_threshold, Mapping) else {"": score_threshold}
    for name, score in given.items():
        if not 0 <= score <= 1:
            raise UserError(f"got the score threshold {score}; expected a number in [0, 1]")
        if name and name not in queries:
            raise UserError(f"got a score threshold of {name!r}; expected one of {queries}")
    if isinstance(score_threshold, Mapping):
        return Limits(max_dets=max_dets, thresholds=score_threshold)
    return Limits(score_threshold, max_dets)
