"""The rules for annotation records: which are used, and in which form."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import boxes
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.masks import read_mask
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import Record, shown, to_number

CROWD = {0: 0, 1: 1, "0": 0, "1": 1, "": 0, "false": 0, "true": 1, "False": 0, "True": 1}
MAX_AREA = 1e15  # pixels; no box that is kept has more


class ObjectReader:
    """Judges the annotations of a file, one after another.

    Attributes:
        kept: the records that are used, in file order. Each has numbers of the file's images and
            categories, ``bbox``, ``area`` and ``iscrowd``, and ``segmentation`` if it has a mask.
        unit_boxes: how many of them have a box in 0..1.
        masks: how many of them have a mask.
    """

    def __init__(
        self,
        path: object,
        sizes: Mapping[int, tuple[int, int]],
        categories: Mapping[int, object],
        report: Report,
    ) -> None:
        self.path, self.sizes, self.categories, self.report = path, sizes, categories, report
        self.kept: list[Record] = []
        self.unit_boxes = self.masks = 0
        self._seen: set[int | str] = set()

    def read(self, record: Any) -> None:
        """Keep an annotation in its clean form, in place, or count why it is left out."""
        problem = self._problem(record)
        if problem:
            kind, text = problem
            name = record.get("id") if isinstance(record, dict) else None
            self.report.add(kind, self._name(name), text)
            return
        size = self.sizes[record["image_id"]]
        self._count_id(record)
        self._count_box(record, size)
        self._read_area(record)
        self._read_crowd(record)
        self._read_mask(record, size)
        self.kept.append(record)

    def _problem(self, record: Any) -> tuple[str, str] | None:
        """Return kind and text of what makes a record useless; put ids and box in their form."""
        if not isinstance(record, dict):
            return "form", f"form {shown(record)}; expected an object"
        given = record.get("bbox")
        box = given if boxes.is_plain(given) else boxes.read_box(given)
        if box is None:
            return "bbox", boxes.unreadable(given)
        record["bbox"] = box
        for key, known in (("image_id", self.sizes), ("category_id", self.categories)):
            value = record.get(key)
            if type(value) is not int or value not in known:
                number = _number(value)
                if number not in known:
                    return key, f"{key} {shown(value)}, which the file does not have"
                record[key] = number
        size = self.sizes[record["image_id"]]
        return None if boxes.is_good(box, size) else boxes.box_problem(box, size)

    def _count_id(self, record: Record) -> None:
        value = record.get("id")
        if type(value) is not int:
            self.report.add("id", self._name(value), f"id {shown(value)}")
        elif value in self._seen:
            self.report.add("id_repeated", self._name(value), f"id {value}, as another has")
        else:
            self._seen.add(value)

    def _count_box(self, record: Record, size: tuple[int, int]) -> None:
        box = record["bbox"]
        if boxes.is_unit(box, size):
            self.unit_boxes += 1
        if not boxes.is_inside(box, size):
            self._add("partly_outside", record, f"bbox {box} in {size[0]} x {size[1]} pixels")
        if not boxes.is_large_enough(box, size):
            self._add("tiny", record, f"bbox {box}")

    def _read_area(self, record: Record) -> None:
        area = record.get("area")
        number = to_number(area)
        if number is not None and 0 < number < MAX_AREA:
            record["area"] = number
            return
        kind = "area_missing" if area is None else "area"
        self._add(kind, record, f"area {shown(area)}")
        record["area"] = record["bbox"][2] * record["bbox"][3]

    def _read_crowd(self, record: Record) -> None:
        crowd = record.get("iscrowd")
        if type(crowd) is int and 0 <= crowd <= 1:
            return
        hashable = isinstance(crowd, (int, float, str))
        if crowd is not None and (not hashable or crowd not in CROWD):
            self._add("iscrowd", record, f"iscrowd {shown(crowd)}; expected 0 or 1")
        record["iscrowd"] = CROWD.get(crowd, 0) if hashable else 0

    def _read_mask(self, record: Record, size: tuple[int, int]) -> None:
        mask = read_mask(record.get("segmentation"), size)
        for kind, text in mask.problems:
            self._add(kind, record, text)
        if mask.segmentation is None:
            record.pop("segmentation", None)
        else:
            record["segmentation"] = mask.segmentation
            self.masks += 1

    def _add(self, kind: str, record: Record, text: str) -> None:
        self.report.add(kind, self._name(record.get("id")), text)

    def _name(self, value: Any) -> str:
        return f"annotation {value if type(value) is int else shown(value)} of {self.path}"


def annotation_problem(
    record: Any, image_ids: Container[Any], category_ids: Container[Any]
) -> str | None:
    """Return why an annotation of an official file cannot be used, or None if it can.

    Official files have numbers alone, so what other tools write is an error there.

    Args:
        record: the annotation, as it was read.
        image_ids: ids of the images of the file.
        category_ids: ids of the categories of the file.

    Returns:
        A phrase to follow "the annotation has ...", whose first word is the reason: 'form', 'bbox',
        'image_id' or 'category_id'.
    """
    if not isinstance(record, dict):
        return f"form {shown(record)}; expected an object"
    box = record.get("bbox")
    if not boxes.is_plain(box) or boxes.read_box(box) is None:
        return boxes.unreadable(box)
    for key, ids in (("image_id", image_ids), ("category_id", category_ids)):
        value = record.get(key)
        if not isinstance(value, (int, float, str)) or value not in ids:
            return f"{key} {shown(value)}, which the file does not have"
    return None


def _number(value: Any) -> int | None:
    try:
        return image_number(value)
    except UserError:
        return None
