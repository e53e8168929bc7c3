"""Tables of segmentation's figures, for the terminal and in Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ovdistill.evaluation.text_tables import TextTable
from ovdistill.segmentation.metrics.panoptic import PanopticScores
from ovdistill.segmentation.metrics.semantic import NAMES, SemanticScores

PANOPTIC_NAMES = ("PQ", "sPQ", "uPQ", "hPQ", "SQ", "RQ", "uSQ", "uRQ")
COLUMNS = {"semantic": NAMES, "panoptic": PANOPTIC_NAMES}


def summary_tables(metrics: Mapping[str, float]) -> list[TextTable]:
    """Return a table of one row for each kind of figures that there are.

    Args:
        metrics: figures by flat key, such as "semantic/mIoU", in percent; -1.0 = no class.
    """
    return [
        TextTable(
            f"{kind} segmentation",
            ["", *names],
            [["", *(_cell(metrics[f"{kind}/{name}"] / 100) for name in names)]],
        )
        for kind, names in COLUMNS.items()
        if all(f"{kind}/{name}" in metrics for name in names)
    ]


def semantic_classes(scores: SemanticScores, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return a record for each class: name, group, IoU and Acc in percent, or None, and pixels.

    Args:
        scores: of W classes.
        names: their names.
    """
    return [
        {
            "name": name,
            "group": "seen" if scores.is_base[row] else "unseen",
            "IoU": _percent(scores.iou[row]),
            "Acc": _percent(scores.accuracy[row]),
            "pixels": int(scores.truth[row]),
            "predicted": int(scores.predicted[row]),
        }
        for row, name in enumerate(names)
    ]


def missing_line(scores: SemanticScores) -> str | None:
    """Return a sentence on classes that the truth does not have; None if it has all of them.

    Args:
        scores: of W classes.
    """
    missing = scores.truth == 0
    if not missing.any():
        return None
    wrong = int((missing & (scores.predicted > 0)).sum())
    return (
        f"{int(missing.sum())} of {len(missing)} classes have no pixel in the truth: {wrong} of "
        "them were predicted and count as IoU 0, the others have no part in means"
    )


def panoptic_classes(scores: PanopticScores, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return a record for each class: name, group, PQ, SQ and RQ in percent, or None, and counts.

    Args:
        scores: of W classes.
        names: their names.
    """
    figures = scores.per_class()
    return [
        {
            "name": name,
            "group": "seen" if scores.is_base[row] else "unseen",
            **{figure: _percent(values[row]) for figure, values in figures.items()},
            **{kind: int(getattr(scores, kind)[row]) for kind in ("tp", "fp", "fn")},
        }
        for row, name in enumerate(names)
    ]


def class_table(title: str, classes: Sequence[Mapping[str, Any]]) -> TextTable:
    """Return the table of classes that occur: unseen before seen ones, the best first.

    Args:
        title: what it shows.
        classes: of ``semantic_classes`` or ``panoptic_classes``.
    """
    if not classes:
        return TextTable(title, ["class"], [])
    header = [*classes[0]]
    figure = header[2]
    shown = [record for record in classes if record[figure] is not None]
    shown.sort(key=lambda record: (record["group"] == "seen", -record[figure]))
    body = [
        [
            f"{value:.1f}" if isinstance(value, float) else "-" if value is None else str(value)
            for value in record.values()
        ]
        for record in shown
    ]
    return TextTable(title, ["class", *header[1:]], body)


def _percent(value: np.floating[Any] | float) -> float | None:
    return None if math.isnan(value) else 100 * float(value)


def _cell(share: float) -> str:
    return "-" if share < 0 else f"{100 * share:.1f}"
