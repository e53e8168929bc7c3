"""Reads annotation files in COCO or LVIS format, by one set of rules for every caller.

The file itself must have images with an id, a width, a height and a name, and categories with an
id and a name. An annotation that cannot be used is left out, counted, and said in one warning:

- its image or its category is not in the file;
- its bbox is not four numbers [x, y, width, height].

A missing ``area`` is the area of the box, a missing ``iscrowd`` is 0. LVIS images, which have only
a ``coco_url``, get their ``file_name`` from it.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError

LOGGER = logging.getLogger(__name__)
IMAGE_KEYS = frozenset({"id", "width", "height"})
CATEGORY_KEYS = frozenset({"id", "name"})
CAPTION_KEYS = frozenset({"id", "image_id", "caption"})
SECTIONS = ("images", "annotations", "categories")
Record = dict[str, Any]


@dataclass
class Annotations:
    """An annotation file, indexed.

    Attributes:
        path: where it was read.
        categories: category records by name.
        images: image records in file order, each with a ``file_name``.
        annotations: usable annotation records in file order.
        by_image: the same by image id.
        dropped: how many annotations were left out, by reason.
        first_dropped: the first of them and its reason, in words; "" for none.
    """

    path: Path
    categories: dict[str, Record]
    images: list[Record]
    annotations: list[Record] = field(default_factory=list, repr=False)
    by_image: dict[Any, list[Record]] = field(default_factory=dict, repr=False)
    dropped: Counter[str] = field(default_factory=Counter)
    first_dropped: str = ""

    def to_coco(self) -> dict[str, Any]:
        """Return the content as evaluators take it: what this reader accepted, nothing else."""
        return {
            "info": {},
            "licenses": [],
            "images": self.images,
            "annotations": self.annotations,
            "categories": list(self.categories.values()),
        }


def read_annotations(path: str | Path) -> Annotations:
    """Read an annotation file by the rules of this module.

    Raises:
        UserError: no such file, not JSON, not in COCO or LVIS format, an image or a category
            without what it must have, or an id or a category name that occurs twice.
    """
    path = Path(path)
    data = read_sections(path, SECTIONS)
    images = [_image(record, path) for record in data["images"]]
    for record in data["categories"]:
        check_keys(record, CATEGORY_KEYS, "category", path)
    image_ids = _unique([image["id"] for image in images], "image ids", path)
    category_ids = _unique([c["id"] for c in data["categories"]], "category ids", path)
    _unique([c["name"] for c in data["categories"]], "category names", path)
    found = Annotations(path, {c["name"]: c for c in data["categories"]}, images)
    for record in data["annotations"]:
        problem = annotation_problem(record, image_ids, category_ids)
        if problem:
            kind = problem.split(" ", 1)[0]
            found.dropped[kind] += 1
            number = record.get("id") if isinstance(record, dict) else None
            said = f"annotation {number} of {path} has {problem}"
            found.first_dropped = found.first_dropped or said
            continue
        if record.get("area") is None:
            record["area"] = record["bbox"][2] * record["bbox"][3]
        record.setdefault("iscrowd", 0)
        found.annotations.append(record)
        found.by_image.setdefault(record["image_id"], []).append(record)
    if found.dropped:
        counts = ", ".join(f"{count} for their {kind}" for kind, count in found.dropped.items())
        LOGGER.warning("annotations left out: %s; the first: %s", counts, found.first_dropped)
    return found


def read_captions(path: str | Path) -> dict[int, list[str]]:
    """Read the captions of a file in COCO's format, by image id.

    Returns:
        Captions without white space at their ends, in file order.

    Raises:
        UserError: no such file, or not in that format.
    """
    path = Path(path)
    captions: dict[int, list[str]] = {}
    for record in read_sections(path, ("annotations",))["annotations"]:
        check_keys(record, CAPTION_KEYS - {"id"}, "annotation", path)
        captions.setdefault(int(record["image_id"]), []).append(str(record["caption"]).strip())
    return captions


def read_sections(path: Path, sections: tuple[str, ...]) -> dict[str, list[Any]]:
    """Read the lists that a JSON file in COCO's format has at its top level.

    Raises:
        UserError: no such file, not JSON, or a section that is missing or no list.
    """
    data = read_json(path)
    content = data if isinstance(data, dict) else {}
    missing = [name for name in sections if not isinstance(content.get(name), list)]
    if missing:
        raise UserError(
            f"{path} has no {', '.join(sorted(missing))}; expected the COCO or LVIS format with "
            f"lists of {', '.join(sections)}."
        )
    return {name: content[name] for name in sections}


def read_json(path: Path) -> Any:
    """Read a JSON file, with or without a byte order mark.

    Raises:
        UserError: no such file, or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(
            f"no annotation file {path}. Put the data set there, or name its place with "
            "--cfg-options data_root=DIR (docs/datasets.md)."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a JSON file ({error}); fetch it again.") from None


def annotation_problem(
    record: Any, image_ids: Container[Any], category_ids: Container[Any]
) -> str | None:
    """Return why an annotation cannot be used, its first word being the field; None if it can."""
    if not isinstance(record, dict):
        return f"form {record!r:.60}; expected an object"
    box = record.get("bbox")
    numbers = isinstance(box, list) and all(isinstance(side, (int, float)) for side in box)
    if not numbers or len(box) != 4:
        return f"bbox {box!r}; expected [x, y, width, height] in pixels"
    if record.get("image_id") not in image_ids:
        return f"image_id {record.get('image_id')!r}, which is no image of the file"
    if record.get("category_id") not in category_ids:
        return f"category_id {record.get('category_id')!r}, which is no category of the file"
    return None


def check_keys(record: Any, keys: frozenset[str], kind: str, path: Path) -> None:
    """Raise UserError unless a record is an object that has these keys."""
    if not isinstance(record, dict):
        raise UserError(f"{path} has a {kind} that is no object: {record!r:.60}")
    if missing := sorted(keys - record.keys()):
        name = record.get("id", record.get("file_name"))
        raise UserError(
            f"{kind} {name} of {path} has no {', '.join(missing)}; COCO's format has "
            f"{', '.join(sorted(keys))}."
        )


def _image(record: Any, path: Path) -> Record:
    check_keys(record, IMAGE_KEYS, "image", path)
    if "file_name" not in record:
        check_keys(record, frozenset({"coco_url"}), "image", path)
        record["file_name"] = "/".join(record["coco_url"].split("/")[-2:])
    return record


def _unique(values: list[Any], what: str, path: Path) -> set[Any]:
    if repeated := [value for value, count in Counter(values).items() if count > 1]:
        raise UserError(
            f"{what} occur more than once in {path} (the first: {repeated[0]!r}); expected each "
            "once."
        )
    return set(values)
