"""Reads a file of detections in the results format of COCO and LVIS, one record at a time.

Images and categories are matched with those of an annotation file: by id, in any of the spellings
that ``annotations.ids`` takes as equal, categories also by name. ``results_kinds`` lists what is
refused, left out or only said.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.masks import Rle, to_rle
from ovdistill.datasets.annotations import Annotations, boxes
from ovdistill.datasets.annotations.class_categories import find_categories
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.masks import MAX_COORDINATE, read_mask
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import shown, to_number
from ovdistill.evaluation.records import Records
from ovdistill.evaluation.results_kinds import RESULTS_KINDS

LARGEST_SCORE = 1e15
EXPECTED = (
    "expected a list of objects with image_id, category_id, score, and bbox (x, y, width, height "
    "in pixels) or segmentation (an RLE), as COCO's results format has it"
)


class ResultsReader:
    """Judges the detections of a file, one after another, and keeps them in flat arrays.

    Attributes:
        report: what was refused, left out or doubtful.
        fields: whether the detections have boxes, and whether they have masks; None before the
            first one.
    """

    def __init__(self, path: Path, truth: Annotations) -> None:
        self.path = path
        self.report = Report(RESULTS_KINDS)
        self.fields: tuple[bool, bool] | None = None
        self._truth = truth
        self._sizes = {image["id"]: (image["width"], image["height"]) for image in truth.images}
        self._categories: dict[Any, int | None] = {}  # as spelled: its number, if it has one
        self._image_ids, self._category_ids = array("q"), array("q")
        self._scores, self._boxes = array("d"), array("d")
        self._rles: list[Rle] = []
        self._count = 0

    def read(self, record: Any) -> None:
        """Keep a detection, or count why it cannot be used."""
        self._count += 1
        problem = self._read(record)
        if problem:
            kind, text = problem
            self._add(kind, text)

    def records(self) -> Records:
        """Return the detections that were kept; boxes are zeros where the file has masks alone."""
        with_boxes, with_masks = self.fields or (True, False)
        n = len(self._scores)
        return Records(
            image_ids=np.array(self._image_ids, dtype=np.int64),
            category_ids=np.array(self._category_ids, dtype=np.int64),
            scores=np.array(self._scores, dtype=np.float64),
            boxes=np.array(self._boxes).reshape(n, 4) if with_boxes else np.zeros((n, 4)),
            rles=self._rles if with_masks else None,
        )

    def _read(self, record: Any) -> tuple[str, str] | None:
        """Keep a detection, or return the kind of its problem with a description."""
        if not isinstance(record, dict):
            return "form", f"form {shown(record)}; {EXPECTED}"
        box, mask = record.get("bbox"), record.get("segmentation")
        fields = (box not in (None, []), mask not in (None, []))
        self.fields = self.fields or fields
        if fields != self.fields or not any(fields):
            return "fields", f"keys {shown(sorted(map(str, record)))}"
        score = to_number(record.get("score"))
        if score is None or abs(score) > LARGEST_SCORE:
            return "score", f"score {shown(record.get('score'))}"
        image_id = _number(record.get("image_id"))
        if image_id is None or image_id not in self._sizes:
            return "image_id", f"image_id {shown(record.get('image_id'))}"
        category_id = self._category(record.get("category_id"))
        if category_id is None:
            return "category_id", f"category_id {shown(record.get('category_id'))}"
        return self._keep(image_id, category_id, score, box, mask)

    def _keep(
        self, image_id: int, category_id: int, score: float, given: Any, segmentation: Any
    ) -> tuple[str, str] | None:
        """Keep a detection of a known image and class, or return what is wrong with its shape."""
        size = self._sizes[image_id]
        assert self.fields is not None  # set by ``_read``
        with_boxes, with_masks = self.fields
        box = boxes.read_box(given)
        if with_boxes:
            if box is None or max(map(abs, box)) > MAX_COORDINATE:
                return "bbox", boxes.unreadable(given)
            if min(box[2], box[3]) < 0:
                return "bbox_size", f"bbox {shown(box)}"
        if with_masks:
            mask = read_mask(segmentation, size)
            if mask.segmentation is None:
                return "mask", mask.problems[0][1] if mask.problems else f"{shown(segmentation)}"
            for kind, text in mask.problems:
                self._add(kind, text)
            self._rles.append(to_rle(mask.segmentation, (size[1], size[0])))
        if with_boxes and box is not None:
            self._look_at(box, size)
            self._boxes.extend(box)
        self._image_ids.append(image_id)
        self._category_ids.append(category_id)
        self._scores.append(score)
        return None

    def _look_at(self, box: boxes.Box, size: tuple[int, int]) -> None:
        """Count a box that is used as it is, but looks odd."""
        x, y, w, h = box
        if x < -1 or y < -1 or x + w > size[0] + 1 or y + h > size[1] + 1:
            self._add("outside", f"bbox {shown(box)} in an image of {size[0]} x {size[1]} pixels")
        if not (w and h):
            self._add("no_area", f"bbox {shown(box)}")

    def _category(self, value: Any) -> int | None:
        """Return the number of a category, given by its id or its name; None if there is none."""
        if type(value) not in (int, str, float):
            return None
        if value not in self._categories:
            number = _number(value)
            if number not in self._truth.original_category_ids:
                names = [value] if isinstance(value, str) else []
                (number,) = find_categories(names, self._truth.categories) or [None]
            self._categories[value] = number
        return self._categories[value]

    def _add(self, kind: str, text: str) -> None:
        self.report.add(kind, f"record {self._count} of {self.path}", text)


def _number(value: Any) -> int | None:
    try:
        return image_number(value)
    except UserError:
        return None
