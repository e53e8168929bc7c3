"""Average precision of classes from flat arrays of detections, as COCO defines it."""

from __future__ import annotations

import numpy as np

RECALL_LEVELS = np.linspace(0, 1, 101)


def average_precisions(
    labels: np.ndarray, scores: np.ndarray, right: np.ndarray, positives: np.ndarray
) -> np.ndarray:
    """Return the AP of each class at the IoU at which ``right`` was decided.

    Args:
        labels: (n,) classes of the detections that count, in an order that equal scores keep.
        scores: (n,) float.
        right: (n,) bool, True for a detection that finds an object.
        positives: (K,) number of objects that should be found.

    Returns:
        (K,) float64 in percent; 0 for a class without objects.
    """
    order = np.lexsort((-scores, labels))
    labels, hits = labels[order], right[order]
    edges = np.searchsorted(labels, np.arange(len(positives) + 1))
    result = np.zeros(len(positives))
    for k in np.flatnonzero((positives > 0) & (edges[1:] > edges[:-1])):
        result[k] = _average_precision(hits[edges[k] : edges[k + 1]], int(positives[k]))
    return 100 * result


def _average_precision(hits: np.ndarray, positives: int) -> float:
    """Return the mean of the precision at 101 recall levels of detections, best first."""
    true = np.cumsum(hits)
    precision = true / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(true / positives, RECALL_LEVELS)
    return float(np.append(falling, 0.0)[places].mean())
