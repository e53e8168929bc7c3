"""Reads the curves of a training that mmengine logs in ``vis_data/scalars.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ovdistill.evaluation.result_files import is_number, read_lines

SHOWN_AP = ("bbox/AP", "bbox/AP_base", "bbox/AP_novel")
Curve = list[tuple[float, float]]  # iteration and value


@dataclass(frozen=True)
class TrainingCurves:
    """Curves of a training.

    Attributes:
        path: the log.
        losses: by name, 'loss' is their sum.
        ap: AP on the val images in percent, by key.
    """

    path: str
    losses: dict[str, Curve] = field(default_factory=dict)
    ap: dict[str, Curve] = field(default_factory=dict)


def read_training_curves(folders: Sequence[Path]) -> TrainingCurves | None:
    """Return the curves of the newest training log in some folders, or None if there is none.

    Raises:
        UserError: a log that cannot be read.
    """
    logs = [path for folder in folders for path in sorted(folder.glob("*/vis_data/scalars.json"))]
    for path in reversed(logs):
        curves = _curves(path)
        if curves.losses:
            return curves
    return None


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
