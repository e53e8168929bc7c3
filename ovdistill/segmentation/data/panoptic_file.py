"""Reads the JSON file of COCO's panoptic format."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import CATEGORY_KEYS, check_keys, read_sections
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.images import is_outside, read_images
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import Record, is_text, shown, to_whole_number
from ovdistill.datasets.names.label_table import MOST_VALUE, LabelTable
from ovdistill.segmentation.data.label_map import VOID
from ovdistill.vocabulary.names import check_names

SECTIONS = ("images", "annotations", "categories")
ANNOTATION_KEYS = frozenset({"image_id", "file_name", "segments_info"})
SEGMENT_KEYS = frozenset({"id", "category_id"})
SUFFIXES = ("-merged", "-other", "-stuff")  # of COCO's names, which no text for a teacher needs


@dataclass(frozen=True)
class PanopticFile:
    """A file of COCO's panoptic format.

    Attributes:
        table: the names of its category ids; a vocabulary may call "sky-other-merged" "sky".
        maps: image record, file name of the panoptic map and segments, of each image with a map. A
            segment has ``id``, ``category_id`` and ``iscrowd``.
    """

    table: LabelTable
    maps: list[tuple[Record, str, list[dict[str, int]]]]


def read_panoptic(path: str | os.PathLike[str]) -> PanopticFile:
    """Read a file of panoptic annotations.

    Args:
        path: the file, such as panoptic_val2017.json.

    Raises:
        UserError: no such file, not in this format, names that lead out of their folder, or a
            segment of a category that it does not have.
    """
    path = Path(path)
    content = read_sections(path, SECTIONS)
    names: dict[int, tuple[str, ...]] = {VOID: ()}
    for category in content["categories"]:
        check_keys(category, CATEGORY_KEYS, "category", path)
        value = _whole(category["id"], "a category", path, least=VOID + 1)
        if value in names or not is_text(category["name"]):
            raise UserError(
                f"{path} has category {shown(category['id'])} named {shown(category['name'])}; "
                "expected a text, and every id once"
            )
        names[value] = _names(category["name"])
    check_names((group[0] for group in names.values() if group), str(path))
    read_images(content["images"], path, Report())
    images = {image["id"]: image for image in content["images"]}
    maps = [_map(record, images, names.keys(), path) for record in content["annotations"]]
    return PanopticFile(LabelTable(str(path), names), maps)


def _map(
    record: Any, images: dict[int, Record], categories: Any, path: Path
) -> tuple[Record, str, list[dict[str, int]]]:
    check_keys(record, ANNOTATION_KEYS, "annotation", path)
    image_id, name, segments = (record[k] for k in ("image_id", "file_name", "segments_info"))
    number = image_number(image_id)
    if number not in images or not is_text(name) or is_outside(name):
        raise UserError(
            f"{path} has the map {shown(name)} of image {shown(image_id)}; expected a file below "
            "the folder of the maps, and one of its images"
        )
    if not isinstance(segments, list):
        raise UserError(f"{path} has segments {shown(segments)} of {name}; expected a list")
    return images[number], name, [_segment(segment, categories, path) for segment in segments]


def _segment(record: Any, categories: Any, path: Path) -> dict[str, int]:
    check_keys(record, SEGMENT_KEYS, "segment", path)
    category = _whole(record["category_id"], "the category of a segment", path, least=VOID + 1)
    if category not in categories:
        raise UserError(f"{path} has a segment of category {category}, which it does not list")
    return dict(
        id=_whole(record["id"], "a segment", path, least=VOID + 1),
        category_id=category,
        iscrowd=int(bool(record.get("iscrowd", 0))),
    )


def _whole(value: Any, what: str, path: Path, least: int) -> int:
    number = to_whole_number(value)
    if number is None or not least <= number <= MOST_VALUE:
        raise UserError(
            f"{path} has {what} with id {shown(value)}; expected a whole number from {least} to "
            f"{MOST_VALUE}"
        )
    return number


def _names(name: str) -> tuple[str, ...]:
    """Return a category's name with its spellings: "wall-other-merged", ..., "wall"."""
    short = name
    while short.endswith(SUFFIXES):
        short = short.rpartition("-")[0]
    return tuple(dict.fromkeys((name, name.replace("-", " "), short, short.replace("-", " "))))
