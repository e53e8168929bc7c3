"""Reads annotation files in COCO or LVIS format, by one set of rules for every caller.

The file itself must have images with an id, a width, a height and a name, and categories with an
id and a name. An annotation that cannot be used is left out, counted, and said in one warning:

- it is not an object;
- its bbox is not four finite numbers [x, y, width, height];
- its image or its category is not in the file.

A missing ``area`` is the area of the box, a missing ``iscrowd`` is 0. LVIS images, which have only
a ``coco_url``, get their ``file_name`` from it.
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError

LOGGER = logging.getLogger(__name__)
IMAGE_KEYS = frozenset({"id", "width", "height"})
CATEGORY_KEYS = frozenset({"id", "name"})
CAPTION_KEYS = frozenset({"image_id", "caption"})
SECTIONS = ("images", "annotations", "categories")
Record = dict[str, Any]


@dataclass
class Annotations:
    """An annotation file, indexed.

    Attributes:
        path: the file that was read.
        categories: category records by name.
        images: image records in file order, each with a ``file_name``.
        annotations: usable annotation records in file order, each with ``area`` and ``iscrowd``.
        by_image: the same records by image id.
        dropped: how many annotations were left out, by reason: 'form' (not an object), 'bbox',
            'image_id' or 'category_id'.
        first_dropped: a sentence about the first of them; "" if there is none.
    """

    path: Path
    categories: dict[str, Record]
    images: list[Record]
    annotations: list[Record] = field(default_factory=list, repr=False)
    by_image: dict[Any, list[Record]] = field(default_factory=dict, repr=False)
    dropped: Counter[str] = field(default_factory=Counter)
    first_dropped: str = ""

    def to_coco(self) -> dict[str, Any]:
        """Return what was accepted as one dict in COCO's format, as evaluators take it."""
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
        if problem := annotation_problem(record, image_ids, category_ids):
            _drop(found, record, problem)
        else:
            _add(found, record)
    if found.dropped:
        counts = ", ".join(f"{count} for their {reason}" for reason, count in found.dropped.items())
        LOGGER.warning("annotations left out: %s; the first: %s", counts, found.first_dropped)
    return found


def read_captions(path: str | Path) -> dict[int, list[str]]:
    """Read the captions of a file in COCO's format.

    Returns:
        Captions by image id, in file order, without white space at their ends.

    Raises:
        UserError: no such file, or not in that format.
    """
    path = Path(path)
    captions: dict[int, list[str]] = {}
    for record in read_sections(path, ("annotations",))["annotations"]:
        check_keys(record, CAPTION_KEYS, "caption", path)
        try:
            image_id = int(record["image_id"])
        except (TypeError, ValueError):
            raise UserError(
                f"{path} has a caption of image {record['image_id']!r:.60}; expected the id of an "
                "image, a whole number."
            ) from None
        captions.setdefault(image_id, []).append(str(record["caption"]).strip())
    return captions


def read_sections(path: Path, sections: tuple[str, ...]) -> dict[str, list[Any]]:
    """Read lists that a JSON file in COCO's format has at its top level.

    Args:
        path: the file.
        sections: the keys of the lists.

    Raises:
        UserError: no such file, not JSON, or a section that is missing or not a list.
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
            f"no annotation file {path}. Put the data set there, or name its folder with "
            "--cfg-options data_root=DIR (docs/datasets.md)."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not a JSON file ({error}); expected one in COCO's or LVIS's format. Fetch "
            "or write it again."
        ) from None


def annotation_problem(
    record: Any, image_ids: Container[Any], category_ids: Container[Any]
) -> str | None:
    """Return why an annotation cannot be used, or None if it can.

    Args:
        record: the annotation, as it was read.
        image_ids: ids of the images of the file.
        category_ids: ids of the categories of the file.

    Returns:
        A phrase to follow "the annotation has ...", whose first word is the reason: 'form', 'bbox',
        'image_id' or 'category_id'.
    """
    if not isinstance(record, dict):
        return f"form {record!r:.60}; expected an object"
    box = record.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)):
        return f"bbox {box!r}; expected [x, y, width, height] in pixels"
    for key, ids in (("image_id", image_ids), ("category_id", category_ids)):
        value = record.get(key)
        if not _is_id(value) or value not in ids:
            return f"{key} {value!r}, which the file does not have"
    return None


def check_keys(record: Any, keys: frozenset[str], kind: str, path: Path) -> None:
    """Raise UserError unless a record is an object that has these keys.

    Args:
        record: the record, as it was read.
        keys: what it must have.
        kind: what it is, for the message: 'image', 'category', ...
        path: the file, for the message.
    """
    if not isinstance(record, dict):
        raise UserError(f"{path} has a {kind} {record!r:.60}; expected an object.")
    if missing := sorted(keys - record.keys()):
        name = record.get("id", record.get("file_name"))
        raise UserError(
            f"{kind} {name} of {path} has no {', '.join(missing)}; COCO's format has "
            f"{', '.join(sorted(keys))}."
        )


def _add(found: Annotations, record: Record) -> None:
    if record.get("area") is None:
        record["area"] = record["bbox"][2] * record["bbox"][3]
    if record.get("iscrowd") is None:
        record["iscrowd"] = 0
    found.annotations.append(record)
    found.by_image.setdefault(record["image_id"], []).append(record)


def _drop(found: Annotations, record: Any, problem: str) -> None:
    number = record.get("id") if isinstance(record, dict) else None
    found.dropped[problem.split(" ", 1)[0]] += 1
    if not found.first_dropped:
        found.first_dropped = f"annotation {number} of {found.path} has {problem}"


def _image(record: Any, path: Path) -> Record:
    check_keys(record, IMAGE_KEYS, "image", path)
    if "file_name" not in record:
        check_keys(record, frozenset({"coco_url"}), "image", path)
        record["file_name"] = "/".join(record["coco_url"].split("/")[-2:])
    return record


def _unique(values: list[Any], what: str, path: Path) -> set[Any]:
    """Return the values as a set; raise UserError for one that occurs twice or is no id or name."""
    if unusable := [value for value in values if not _is_id(value)]:
        raise UserError(f"{path} has {what} such as {unusable[0]!r:.60}; expected numbers or text.")
    if repeated := [value for value, count in Counter(values).items() if count > 1]:
        raise UserError(
            f"{what} occur more than once in {path} (the first: {repeated[0]!r}); expected each "
            "once."
        )
    return set(values)


def _is_id(value: Any) -> bool:
    return isinstance(value, (int, float, str))


def _is_finite(side: Any) -> bool:
    return isinstance(side, (int, float)) and -math.inf < side < math.inf
