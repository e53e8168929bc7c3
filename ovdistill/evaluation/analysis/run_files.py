"""Read the folder that `ovdistill test --dump` writes: metrics, origin, classes, detections."""

from __future__ import annotations

import math
import shlex
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from ovdistill.core.errors import UserError
from ovdistill.core.header_values import SIZE, TEXT, Kind, expect, list_of, optional
from ovdistill.core.json_files import read_json
from ovdistill.core.json_list import read_json_list
from ovdistill.core.masks import Rle
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.evaluation.backends import MAX_DETS
from ovdistill.evaluation.records import Records
from ovdistill.evaluation.result_files import FIX, number, read_metrics, read_origin

METRICS = ("bbox", "segm")
EXPECTED = "expected detections in COCO's format"
SUBFOLDER = "test"  # of a training's folder
ORIGIN = {
    "ann_file": TEXT,
    "protocol": Kind(f"one of: {', '.join(MAX_DETS)}", lambda value: value in (*MAX_DETS,)),
    "max_dets": SIZE,
}
# options of results that are scored without a config, and what a run's origin calls them
OF_ANNOTATIONS = (
    ("--annotations", "ann_file"),
    ("--vocabulary", "vocabulary"),
    ("--novel", "novel"),
    ("--protocol", "protocol"),
)
ID = Kind("a number or a text", lambda value: type(value) in (int, float, str))
ORIGIN_IF_KNOWN = {
    "checkpoint": optional(TEXT),
    "image_ids": optional(list_of(ID)),
    "proposals_per_image": optional(SIZE),
}


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What a test run has left.

    Attributes:
        folder: the folder.
        metrics: AP and more by key, in percent, -1.0 where there is no ground truth.
        origin: of ``provenance.json``.
        classes: of ``per_category.json``, by ascending id.
        detections: by metric, 'bbox' or 'segm' or both. Ids are numbers, see ``annotations.ids``.
    """

    folder: Path
    metrics: dict[str, float]
    origin: dict[str, Any]
    classes: list[dict[str, Any]]
    detections: dict[str, Records]

    @property
    def boxes(self) -> Records:
        """The detections with their boxes: those around the masks where there are masks alone."""
        return self.detections["bbox" if "bbox" in self.detections else "segm"]


def read_run(path: Path) -> RunFiles:
    """Read a folder of `ovdistill test`, or of a training that was tested.

    Args:
        path: the folder; the sub-folder ``test`` of a training's folder is taken in its place.

    Raises:
        UserError: a file is missing or damaged; the message has the command that writes it.
    """
    folder = path if (path / "metrics.json").is_file() else path / SUBFOLDER
    if not (folder / "metrics.json").is_file():
        raise UserError(
            f"{path} has no metrics.json, and no folder {SUBFOLDER} with one; expected a folder "
            "of `ovdistill test CONFIG CHECKPOINT -o FOLDER --dump`"
        )
    metrics = read_metrics(folder / "metrics.json")
    origin = read_origin(folder)
    command = dump_command(origin, folder)
    known = {key: kind for key, kind in ORIGIN_IF_KNOWN.items() if key in origin}
    for key, kind in {**ORIGIN, **known}.items():
        try:
            expect(origin, key, kind)
        except ValueError as error:
            raise UserError(
                f"{folder / 'provenance.json'} cannot be used ({error}); it is damaged, or an "
                f"earlier version wrote it. Test again: {command}"
            ) from None
    paths = {metric: folder / f"detections.{metric}.json" for metric in METRICS}
    wanted = [metric for metric in METRICS if f"{metric}/AP" in metrics]
    missing = [paths[metric] for metric in wanted if not paths[metric].is_file()]
    if missing or not wanted:
        raise UserError(
            f"there are no detections to look at ({', '.join(map(str, missing)) or folder}): "
            f"write them with {command}"
        )
    detections = {metric: read_detections(paths[metric], metric) for metric in wanted}
    return RunFiles(folder, metrics, origin, _read_classes(folder), detections)


def dump_command(origin: dict[str, Any], folder: Path) -> str:
    """Return the command that tests a run again, or scores its results, and writes detections."""
    config, results = origin.get("config"), origin.get("results")
    if isinstance(results, dict):  # of any system
        words = [f"{config}"] if config else []
        words += ["--results", *results]
        for option, key in () if config else OF_ANNOTATIONS:
            words += [option, f"{origin[key]}"] if origin.get(key) else []
        words += ["--images-with-results"] if origin.get("images_with_results") else []
    else:
        words = [f"{config or 'CONFIG'}", f"{origin.get('checkpoint') or 'CHECKPOINT'}"]
    subset = ["--subset", "val"] if origin.get("subset") == "val" else []
    words = ["ovdistill", "test", *words, *subset, "-o", str(folder), "--dump"]
    return f"`{shlex.join(words)}`"


def read_detections(path: Path, metric: str) -> Records:
    """Read detections in COCO's result format.

    Args:
        path: the file.
        metric: 'bbox', or 'segm', whose masks are RLEs.

    Raises:
        UserError: no such file, or a damaged one.
    """
    columns = _Columns(metric)
    for row in read_json_list(path, f"{EXPECTED}. {FIX}"):
        try:
            columns.add(row)
        except (TypeError, KeyError, ValueError, AttributeError, OverflowError, UserError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UserError(f"{path} is damaged ({reason:.120}); {EXPECTED}. {FIX}") from None
    return columns.records()


class _Columns:
    """Keeps detections in flat arrays, since as dicts those of a large data set fill the memory.

    Args:
        metric: 'bbox' or 'segm'.
    """

    def __init__(self, metric: str) -> None:
        self._rles: list[Rle] | None = [] if metric == "segm" else None
        self._images, self._categories = array("q"), array("q")
        self._scores, self._boxes = array("d"), array("d")
        self._numbers: dict[Any, int] = {}  # of ids, as they are spelled

    def add(self, row: Any) -> None:
        """Keep a detection.

        Raises:
            TypeError, KeyError, ValueError, AttributeError, OverflowError, UserError: it is none.
        """
        self._images.append(self._number(row["image_id"]))
        self._categories.append(self._number(row["category_id"]))
        self._scores.append(row["score"])
        if self._rles is None:
            x, y, width, height = row["bbox"]
        else:
            mask = row["segmentation"]
            self._rles.append({"size": mask["size"], "counts": mask["counts"].encode("ascii")})
            ((x, y, width, height),) = coco_mask.toBbox(self._rles[-1:])
        self._boxes.extend((x, y, width, height))
        if not all(map(math.isfinite, (self._scores[-1], *self._boxes[-4:]))):
            raise ValueError("a box is no box, or a score is not a finite number")

    def records(self) -> Records:
        """Return the detections; masks alone have the boxes around them."""
        return Records(
            np.array(self._images, dtype=np.int64),
            np.array(self._categories, dtype=np.int64),
            np.array(self._scores, dtype=np.float64),
            np.array(self._boxes, dtype=np.float64).reshape(-1, 4),
            self._rles,
        )

    def _number(self, value: Any) -> int:
        if value not in self._numbers:
            self._numbers[value] = image_number(value)
        return self._numbers[value]


def run_names(folders: Sequence[Path]) -> list[str]:
    """Return a short name of each folder: the parts of its path in which it differs from others."""
    parts = [list(folder.absolute().parts) for folder in folders]
    for names in parts:
        if names[-1] == SUBFOLDER and len(names) > 1:
            names.pop()
    if len(set(map(tuple, parts))) < 2:
        return [names[-1] for names in parts]
    while all(len(names) > 1 and names[-1] == parts[0][-1] for names in parts):
        for names in parts:
            names.pop()
    while all(len(names) > 1 and names[0] == parts[0][0] for names in parts):
        for names in parts:
            names.pop(0)
    return ["/".join(names) for names in parts]


def _read_classes(folder: Path) -> list[dict[str, Any]]:
    path = folder / "per_category.json"
    rows = read_json(path, "per_category.json", hint=FIX)
    try:
        if not (isinstance(rows, list) and rows):
            raise ValueError("it is no list of classes")
        for row in rows:
            number(row["id"], path, "id")
            texts = isinstance(row["name"], str) and isinstance(row.get("frequency", ""), str)
            if not texts or row["group"] not in ("base", "novel"):
                raise ValueError(f"a class is {row!r:.80}")
            if "segm" in row:
                number(row["segm"]["AP"], path, "AP of masks")
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}). {FIX}") from None
    return sorted(rows, key=lambda row: row["id"])
