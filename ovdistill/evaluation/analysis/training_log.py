"""Reads the curves of a training that mmengine logs in ``vis_data/scalars.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from ovdistill.evaluation.result_files import is_number, read_lines

SHOWN_AP = ("bbox/AP", "bbox/AP_base", "bbox/AP_novel")
Curve = list[tuple[float, float]]  # iteration and value


@dataclass(frozen=True)
class TrainingCurves:
    """Curves of a training.

    Attributes:
        path: the log, the newest one where the training was resumed.
        losses: by name, 'loss' is their sum.
        ap: AP on the val images in percent, by key.
    """

    path: str
    losses: dict[str, Curve] = field(default_factory=dict)
    ap: dict[str, Curve] = field(default_factory=dict)


def read_training_curves(folders: Sequence[Path]) -> TrainingCurves | None:
    """Return the curves of the training in the last folder that has one, or None if none has.

    A resumed training leaves a log for each time that it was started. A later one takes the place
    of the steps of earlier ones from its first on.

    Raises:
        UserError: a log that cannot be read.
    """
    for folder in reversed(folders):
        logs = [_curves(path) for path in sorted(folder.glob("*/vis_data/scalars.json"))]
        if trained := [log for log in logs if log.losses]:
            return reduce(_joined, trained)
    return None


def _joined(earlier: TrainingCurves, later: TrainingCurves) -> TrainingCurves:
    """Return the curves of a training that went on."""
    start = min(points[0][0] for points in later.losses.values())

    def join(before: dict[str, Curve], after: dict[str, Curve]) -> dict[str, Curve]:
        kept = {key: [one for one in points if one[0] < start] for key, points in before.items()}
        keys = dict.fromkeys((*kept, *after))
        return {key: points for key in keys if (points := kept.get(key, []) + after.get(key, []))}

    return TrainingCurves(
        later.path, join(earlier.losses, later.losses), join(earlier.ap, later.ap)
    )


def _curves(path: Path) -> TrainingCurves:
    curves = TrainingCurves(str(path))
    for record in read_lines(path):
        step = record.get("step", record.get("iter"))
        if step is None or not is_number(step):
            continue
        for key, value in record.items():
            if not is_number(value):
                continue
            point = float(step), float(value)
            if key == "loss" or key.startswith("loss_"):
                curves.losses.setdefault(key, []).append(point)
            elif key in SHOWN_AP and value >= 0:
                curves.ap.setdefault(key, []).append(point)
    return curves
