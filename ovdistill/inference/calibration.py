"""Scores that can be read as probabilities.

A detector's score orders its detections, but 0.6 does not mean that six of ten are right. On images
whose objects are labelled, a logistic curve over the score's logit is fitted to whether detections
are right (Platt, 1999). It rises, so that it changes no order and no AP.

Shapes: n detections.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file, write_json
from ovdistill.core.json_files import read_json
from ovdistill.evaluation.reliability import measure_reliability

CALIBRATION = "calibration.json"
EPSILON = 1e-6
RIDGE = 1e-3  # holds the curve where all detections are right, or none is


@dataclass(frozen=True)
class Calibration:
    """A logistic curve: probability = sigmoid(slope * logit(score) + intercept).

    Attributes:
        slope: positive.
        intercept: of the curve.
        detections: how many detections it was fitted to.
        error_before: expected calibration error of the scores, in [0, 1].
        error_after: that of the probabilities, on detections that were not fitted to.
    """

    slope: float
    intercept: float
    detections: int = 0
    error_before: float = 0.0
    error_after: float = 0.0

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the (n,) float32 probabilities of (n,) scores in [0, 1]."""
        return _sigmoid(self.slope * _logit(scores) + self.intercept).astype(np.float32)

    def score(self, probability: float) -> float:
        """Return the score whose probability this is; 0 and 1 stay."""
        if not 0 < probability < 1:
            return probability
        return _score(probability, self.slope, self.intercept)

    def save(self, path: Path, weights: Path | None = None) -> None:
        """Write a JSON file.

        Args:
            path: the file.
            weights: the detector's, whose hash ``load`` compares.
        """
        own = {} if weights is None else {"weights": hash_file(weights)}
        write_json(path, asdict(self) | own)

    @classmethod
    def load(cls, path: Path, weights: Path | None = None) -> Calibration:
        """Read what ``save`` wrote.

        Args:
            path: the file.
            weights: those that it has to be of, if it says so.

        Raises:
            UserError: the file has no curve that rises, or is of other weights.
        """
        content = read_json(path, "calibration")
        try:
            found = cls(float(content["slope"]), float(content["intercept"]))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise UserError(f"{path} has no calibration ({error}); make it again") from None
        if not (np.isfinite(found.intercept) and 0 < found.slope < np.inf):
            raise UserError(f"{path}: got {found}; expected a curve that rises")
        if weights is not None and content.get("weights") not in (None, hash_file(weights)):
            raise UserError(
                f"{path} was fitted to other weights than {weights}; make it again with "
                "`ovdistill calibrate`, or remove it"
            )
        return found


def fit(scores: np.ndarray, right: np.ndarray) -> Calibration:
    """Fit a curve to detections, and measure it on those that it was not fitted to.

    Args:
        scores: (n,) in [0, 1].
        right: (n,) bool, whether each detection is right.

    Raises:
        UserError: fewer than 50 detections, or scores of right ones that are not the higher ones.
    """
    if len(scores) < 50:
        raise UserError(f"got {len(scores)} detections; expected 50 or more to calibrate with")
    half = np.arange(len(scores)) % 2 == 0
    parts = [(_curve(scores[own], right[own]), ~own) for own in (half, ~half)]
    held_out = np.empty(len(scores))
    for (slope, intercept), other in parts:
        held_out[other] = Calibration(slope, intercept).probabilities(scores[other])
    slope, intercept = _curve(scores, right)
    if slope <= 0:
        raise UserError("right detections have no higher scores than wrong ones; nothing to fit")
    return Calibration(
        slope,
        intercept,
        len(scores),
        measure_reliability(scores, right).error,
        measure_reliability(held_out, right).error,
    )


def _curve(scores: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of the largest likelihood, by Newton's method."""
    inputs = np.stack([_logit(scores), np.ones(len(scores))], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(50):
        p = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (p - right) + RIDGE * (weights - [1, 0])
        curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step * min(1.0, 2 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


@lru_cache  # of a threshold, which is the same for image after image
def _score(probability: float, slope: float, intercept: float) -> float:
    logit = (float(_logit(np.array(probability))) - intercept) / slope
    return float(_sigmoid(np.array(logit)))


def _logit(scores: np.ndarray) -> np.ndarray:
    clipped = np.clip(scores.astype(np.float64), EPSILON, 1 - EPSILON)
    return np.log(clipped) - np.log1p(-clipped)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -values))
