"""Read the folder in which `ovdistill test` leaves the figures of a segmentor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.evaluation.analysis.naming import MISSED, OTHER_SPLIT, OUTCOMES, RIGHT, SAME_SPLIT
from ovdistill.evaluation.analysis.report import Confusions
from ovdistill.evaluation.analysis.run_files import SUBFOLDER
from ovdistill.evaluation.result_files import FIX, is_number, read_metrics, read_object, read_origin

PAIRS = "pixel_pairs.json"
GROUPS = {"seen": "base", "unseen": "novel"}  # as the test calls them: as a report does
Pair = tuple[int, int, int]  # row of the truth, of the prediction (-1 for none), pixels


@dataclass(frozen=True)
class SegmentedClass:
    """A class of a run.

    Attributes:
        name: the class name.
        group: 'base' or 'novel'.
        pixels: of the truth.
        iou: in percent; -1.0 for a class that occurs nowhere.
        accuracy: share of its pixels that are found, in percent; -1.0 without pixels.
        confused_with: the wrong name that its pixels have most often, or empty.
        confused: share of its pixels that have that name, in percent.
    """

    name: str
    group: str
    pixels: int
    iou: float
    accuracy: float
    confused_with: str
    confused: float


@dataclass(frozen=True)
class SegmentationReport:
    """All figures of a segmentor's test.

    Attributes:
        name: short, to tell runs apart.
        folder: of the run.
        images: number of tested images.
        metrics: of ``metrics.json``, in percent.
        classes: in the order of the vocabulary.
        naming: what becomes of base and of novel pixels, in percent, and "objects", their number.
        confusions: wrong names, in pixels.
        origin: of ``provenance.json``.
    """

    name: str
    folder: str
    images: int
    metrics: dict[str, float]
    classes: list[SegmentedClass]
    naming: dict[str, dict[str, float]]
    confusions: Confusions
    origin: dict[str, Any]


def segmentation_folder(path: Path) -> Path | None:
    """Return the folder of a segmentor's test, or None if it is none.

    Args:
        path: the folder, or that of a training, whose sub-folder ``test`` is taken then.
    """
    for folder in (path, path / SUBFOLDER):
        if (folder / PAIRS).is_file():
            return folder
    return None


def read_segmentation(folder: Path, name: str) -> SegmentationReport:
    """Read the figures of a segmentor's test.

    Args:
        folder: see ``segmentation_folder``.
        name: short, to tell runs apart.

    Raises:
        UserError: a file is missing or damaged.
    """
    records = _read_records(folder)
    images, pairs = _read_pairs(folder, len(records))
    names = [record["name"] for record in records]
    groups = [GROUPS[record["group"]] for record in records]
    rows = _rows(pairs, len(records))
    return SegmentationReport(
        name=name,
        folder=str(folder),
        images=images,
        metrics=read_metrics(folder / "metrics.json"),
        classes=[_class(k, records, rows[k]) for k in range(len(records))],
        naming={group: _naming(group, groups, pairs) for group in ("base", "novel")},
        confusions=Confusions(_wrong(pairs, names), rows),
        origin=read_origin(folder),
    )


def check_same_classes(reports: Sequence[SegmentationReport]) -> None:
    """Raise UserError if runs have other classes, or another split, than the first."""
    first = [(row.name, row.group) for row in reports[0].classes]
    for report in reports[1:]:
        if [(row.name, row.group) for row in report.classes] != first:
            raise UserError(
                f"{report.name} and {reports[0].name} have other classes or another split; "
                "expected runs of the same vocabulary"
            )


def _rows(pairs: list[Pair], classes: int) -> list[dict[int, int]]:
    """Return the pixels of each class by the index of their name; the last index is no name."""
    rows: list[dict[int, int]] = [{} for _ in range(classes)]
    for truth, predicted, count in pairs:
        rows[truth][predicted if predicted >= 0 else classes] = count
    return rows


def _wrong(pairs: list[Pair], names: list[str]) -> list[tuple[str, str, int]]:
    wrong = [(t, p, count) for t, p, count in pairs if t != p and p >= 0]
    wrong.sort(key=lambda pair: (-pair[2], pair[:2]))
    return [(names[t], names[p], count) for t, p, count in wrong]


def _naming(group: str, groups: list[str], pairs: list[Pair]) -> dict[str, float]:
    """Return what becomes of the pixels of a group, see ``SegmentationReport``."""
    counts: Counter[str] = Counter()
    for truth, predicted, count in pairs:
        if groups[truth] == group:
            counts[_outcome(truth, predicted, groups)] += count
    total = counts.total()
    shares = {outcome: 100 * counts[outcome] / max(1, total) for outcome in OUTCOMES}
    return {**shares, "objects": float(total)}


def _outcome(truth: int, predicted: int, groups: list[str]) -> str:
    if predicted < 0:
        return MISSED
    if truth == predicted:
        return RIGHT
    return SAME_SPLIT if groups[truth] == groups[predicted] else OTHER_SPLIT


def _class(row: int, records: list[dict[str, Any]], named: dict[int, int]) -> SegmentedClass:
    record = records[row]
    wrong = {k: count for k, count in named.items() if k != row and k < len(records)}
    worst = max(wrong, key=lambda k: (wrong[k], -k), default=None)
    total = sum(named.values())
    return SegmentedClass(
        name=record["name"],
        group=GROUPS[record["group"]],
        pixels=total,
        iou=-1.0 if record["IoU"] is None else float(record["IoU"]),
        accuracy=-1.0 if record["Acc"] is None else float(record["Acc"]),
        confused_with="" if worst is None else records[worst]["name"],
        confused=0.0 if worst is None else 100 * wrong[worst] / total,
    )


def _read_records(folder: Path) -> list[dict[str, Any]]:
    path = folder / "per_category.json"
    found = read_json(path, "per_category.json", hint=FIX)
    try:
        records = [record for record in found if record["kind"] == "semantic"]
        for record in records:
            figures = [record["IoU"], record["Acc"]]
            known = all(value is None or is_number(value) for value in figures)
            if not (isinstance(record["name"], str) and record["group"] in GROUPS and known):
                raise ValueError(f"a class is {record!r:.80}")
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}). {FIX}") from None
    return records


def _read_pairs(folder: Path, classes: int) -> tuple[int, list[Pair]]:
    """Return the number of images, and the pairs of rows."""
    path = folder / PAIRS
    content = read_object(path, PAIRS)
    images: Any = content.get("images")
    pairs: Any = content.get("pairs")
    good = isinstance(images, int) and images >= 0 and isinstance(pairs, list)
    if not (good and all(_is_pair(pair, classes) for pair in pairs)):
        raise UserError(
            f"{path} is damaged; expected the number of images, and pairs of {classes} rows with "
            f"their pixels. {FIX}"
        )
    return images, [(truth, predicted, count) for truth, predicted, count in pairs]


def _is_pair(pair: Any, classes: int) -> bool:
    if not (isinstance(pair, list) and len(pair) == 3 and all(type(n) is int for n in pair)):
        return False
    truth, predicted, count = pair
    return 0 <= truth < classes and -1 <= predicted < classes and 0 < count < 2**62
