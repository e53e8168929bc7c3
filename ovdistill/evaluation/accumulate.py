"""Averages precision and recall over classes: all, base, novel, and LVIS's frequency groups.

Base and novel averages are taken over the classes of one evaluation, in which all class names
compete for every region (the generalized protocol). They are not two evaluations on two
annotation files.

Shape letters: T IoU thresholds, Q recall levels, K classes, A area ranges (see backends.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ovdistill.evaluation.backends import Curves

NO_TRUTH = -1.0  # COCO's value where there is no ground truth to average over
IOU_50, IOU_75 = 0, 5  # positions on the T axis
AREA_ALL, AREA_SMALL, AREA_MEDIUM, AREA_LARGE = range(4)  # positions on the A axis


def mean_percent(values: np.ndarray) -> float:
    """Return the mean of the entries with ground truth (> -1), in percent; -1.0 if none has."""
    valid = values[values > -1]
    return 100 * float(valid.mean()) if valid.size else NO_TRUTH


def harmonic_mean(base: float, novel: float) -> float:
    """Return 2 b n / (b + n), or 0 if b or n is 0, or -1.0 if b or n is -1.0 (no ground truth).

    Args:
        base: b, AP of the base classes in percent.
        novel: n, AP of the novel classes in percent.
    """
    if NO_TRUTH in (base, novel):
        return NO_TRUTH
    return 2 * base * novel / (base + novel) if base and novel else 0.0


def summarize(
    curves: Curves,
    is_base: Sequence[bool],
    frequency: Sequence[str] | None,
    max_dets: int,
) -> dict[str, float]:
    """Average one evaluation over groups of classes.

    Args:
        curves: precision and recall of K classes.
        is_base: K flags, True = base, False = novel.
        frequency: K letters 'r', 'c' or 'f', LVIS's frequency groups; or None.
        max_dets: number of detections, for the key of the average recall only.

    Returns:
        Metrics in percent by key ('AP', 'AP50_novel', 'HM50', ...); -1.0 where no class of the
        group has ground truth.
    """
    precision = curves.precision
    base = np.asarray(is_base, dtype=bool)
    everywhere = precision[..., AREA_ALL]  # (T, Q, K)
    at_50 = everywhere[IOU_50]  # (Q, K)
    result = {
        "AP": mean_percent(everywhere),
        "AP50": mean_percent(at_50),
        "AP75": mean_percent(everywhere[IOU_75]),
        "APs": mean_percent(precision[..., AREA_SMALL]),
        "APm": mean_percent(precision[..., AREA_MEDIUM]),
        "APl": mean_percent(precision[..., AREA_LARGE]),
        f"AR{max_dets}": mean_percent(curves.recall[..., AREA_ALL]),
        "AP_base": mean_percent(everywhere[..., base]),
        "AP_novel": mean_percent(everywhere[..., ~base]),
        "AP50_base": mean_percent(at_50[..., base]),
        "AP50_novel": mean_percent(at_50[..., ~base]),
    }
    result["HM50"] = harmonic_mean(result["AP50_base"], result["AP50_novel"])
    if frequency is not None:
        groups = np.asarray(frequency)
        for group in "rcf":
            result[f"AP{group}"] = mean_percent(everywhere[..., groups == group])
    return result


def class_averages(curves: Curves) -> tuple[list[float], list[float]]:
    """Return AP and AP50 of each of the K classes, in percent; -1.0 without ground truth."""
    everywhere = curves.precision[..., AREA_ALL]
    classes = range(everywhere.shape[2])
    ap = [mean_percent(everywhere[..., k]) for k in classes]
    return ap, [mean_percent(everywhere[IOU_50, :, k]) for k in classes]
