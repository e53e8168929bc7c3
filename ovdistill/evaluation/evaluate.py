"""Evaluates detections of any system: ``OVMetric`` and `ovdistill test --results` call this.

All classes of an evaluation compete in one classifier (the generalized protocol); the averages over
base and novel classes are taken from one evaluation.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations
from ovdistill.datasets.annotations.evaluator_copy import FREQUENCIES
from ovdistill.evaluation.accumulate import class_averages, summarize
from ovdistill.evaluation.backends import MAX_DETS, Evaluator, build_evaluator
from ovdistill.evaluation.records import Records

LOGGER = logging.getLogger(__name__)
METRIC_NAMES = ("bbox", "segm")
BACKENDS = ("hotcoco", "reference")


@dataclass(frozen=True)
class Protocol:
    """How detections are evaluated.

    Attributes:
        name: 'lvis' (federated; ``max_dets`` detections of an image over all classes) or 'coco'
            (``max_dets`` detections of an image and class).
        max_dets: None: 300 for 'lvis' and 100 for 'coco'.
        backend: 'hotcoco' or 'reference' (pycocotools, lvis-api).

    Raises:
        UserError: an unknown name or backend.
    """

    name: str = "lvis"
    max_dets: int | None = None
    backend: str = "hotcoco"

    def __post_init__(self) -> None:
        check_choice("protocol", (self.name,), tuple(MAX_DETS))
        check_choice("backend", (self.backend,), BACKENDS)

    @property
    def limit(self) -> int:
        """The number of detections that count."""
        return self.max_dets or MAX_DETS[self.name]


class EvaluatedClass(NamedTuple):
    """A class of an evaluation.

    Attributes:
        category_id: its category of the annotation file.
        name: the class name.
        is_base: True = base, False = novel.
    """

    category_id: int
    name: str
    is_base: bool


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        metrics: figures in percent by flat key, see ``OVMetric``.
        per_category: a dict for each class, by ascending category id: id, name, group, (LVIS)
            frequency, and AP and AP50 for each metric.
        evaluator: name and version of the library that matched the detections.
    """

    metrics: dict[str, float]
    per_category: list[dict[str, Any]]
    evaluator: str


def evaluate(
    truth: Annotations,
    found: Mapping[str, Records],
    classes: Sequence[EvaluatedClass],
    image_ids: Sequence[int],
    protocol: Protocol,
) -> Evaluation:
    """Evaluate detections.

    Args:
        truth: the annotation file.
        found: the detections by metric, 'bbox' or 'segm'; those for 'segm' have masks.
        classes: the classes that compete.
        image_ids: the images that count, with and without detections.
        protocol: how they are evaluated.

    Raises:
        UserError: masks without true masks, a class that the file does not have, or (LVIS) a
            category without a frequency.
    """
    with_masks = "segm" in found
    if with_masks and truth.annotations and not truth.masks:
        raise UserError(
            f"{truth.path} has no masks that can be used: evaluate boxes alone "
            "(test_evaluator.metrics=bbox in a config; results without masks)."
        )
    evaluators = _evaluators(truth, tuple(found), protocol)
    rows = _class_rows(truth, classes, protocol)
    cat_ids = [row["id"] for row in rows]
    is_base = [row["group"] == "base" for row in rows]
    frequency = [row["frequency"] for row in rows] if protocol.name == "lvis" else None
    figures: dict[str, float] = {}
    for metric, records in found.items():
        curves = evaluators[metric].curves(records, metric, image_ids, cat_ids)
        for row, ap, ap50 in zip(rows, *class_averages(curves), strict=True):
            row[metric] = {"AP": ap, "AP50": ap50}
        averages = summarize(curves, is_base, frequency, protocol.limit)
        figures |= {f"{metric}/{key}": value for key, value in averages.items()}
    return Evaluation(figures, rows, next(iter(evaluators.values())).version)


def check_choice(option: str, got: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise UserError unless there are values, and all of them are allowed ones."""
    if not got or not set(got) <= set(allowed):
        raise UserError(f"got {option}={list(got)}; expected values of {list(allowed)}")


def check_annotation_file(path: str | Path) -> str:
    """Return the path of an annotation file; raise UserError if it is not there."""
    if not Path(path).is_file():
        raise UserError(
            f"no annotation file at {path}: set test_evaluator.ann_file, or make the data "
            "(`ovdistill make-ovshapes` for the embedded benchmark)."
        )
    return str(path)


def _evaluators(
    truth: Annotations, metrics: Sequence[str], protocol: Protocol
) -> dict[str, Evaluator]:
    """Return the evaluator of each metric; one for both, unless some masks are missing."""
    options = (protocol.backend, truth, protocol.name, protocol.limit)
    found = dict.fromkeys(metrics, build_evaluator(*options))
    missing = len(truth.annotations) - truth.masks
    if "segm" in metrics and missing:
        LOGGER.warning(
            "masks: %d of the %d annotations of %s have none; what is found there does not count",
            *(missing, len(truth.annotations), truth.path),
        )
        found["segm"] = build_evaluator(*options, masks_only=True)
    return found


def _class_rows(
    truth: Annotations, classes: Sequence[EvaluatedClass], protocol: Protocol
) -> list[dict[str, Any]]:
    """Return id, name, group and (LVIS) frequency of every class, by ascending category id."""
    categories = {category["id"]: category for category in truth.categories.values()}
    rows = []
    for cat_id, name, is_base in sorted(classes):
        if cat_id not in categories:
            raise UserError(f"category {cat_id} ({name}) of the data set is not in {truth.path}")
        row = {"id": int(cat_id), "name": name, "group": "base" if is_base else "novel"}
        if protocol.name == "lvis":
            row["frequency"] = _frequency(categories[cat_id], truth.path)
        rows.append(row)
    return rows


def _frequency(category: dict[str, Any], ann_file: Path) -> str:
    if category.get("frequency") not in FREQUENCIES:
        raise UserError(
            f"category {category['id']} of {ann_file} has no frequency r, c or f: it is not an "
            "LVIS file; take the protocol coco (test_evaluator.protocol=coco in a config)."
        )
    return category["frequency"]
