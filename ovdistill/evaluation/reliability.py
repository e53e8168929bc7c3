"""How far scores are from the share of detections that are right.

Shapes: n detections.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 15


@dataclass(frozen=True, eq=False)
class Reliability:
    """Detections in bins of equal width of their score.

    Attributes:
        counts: (bins,) int64, how many detections.
        scores: (bins,) float64, their mean score; 0 for an empty bin.
        shares: (bins,) float64, the share of them that is right; 0 for an empty bin.
    """

    counts: np.ndarray
    scores: np.ndarray
    shares: np.ndarray

    @property
    def error(self) -> float:
        """Return the expected calibration error (Naeini et al., 2015), in [0, 1]; -1.0 of nothing.

        The mean over the bins, weighted by their detections, of the difference between the mean
        score and the share of right detections.
        """
        if not self.counts.any():
            return -1.0
        gaps = np.abs(self.scores - self.shares)
        return float((self.counts * gaps).sum() / self.counts.sum())


def measure_reliability(scores: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """Put detections into bins.

    Args:
        scores: (n,) in [0, 1].
        right: (n,) bool.
        bins: how many.
    """
    index = np.minimum((scores * bins).astype(int), bins - 1)
    counts = np.bincount(index, minlength=bins)
    filled = np.maximum(counts, 1)
    return Reliability(
        counts,
        np.bincount(index, scores, minlength=bins) / filled,
        np.bincount(index, right, minlength=bins) / filled,
    )
