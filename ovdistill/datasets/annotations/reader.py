"""Reads annotation files in COCO or LVIS format, by one set of rules for every caller.

The rules are in the modules beside this one: ``images``, ``categories``, ``objects`` (with
``boxes`` and ``masks``) and ``ids``. Images and categories must have what they need, else the file
is refused. An annotation that cannot be used is left out. Whatever is left out, changed or doubtful
is counted and said in one warning; ``report`` lists the kinds. `ovdistill check` prints all of it.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ovdistill.core import json_files
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.boxes import UNIT_SHARE
from ovdistill.datasets.annotations.categories import count_empty, read_categories
from ovdistill.datasets.annotations.evaluator_copy import FREQUENCIES, evaluator_copy
from ovdistill.datasets.annotations.federated import FEDERATED_KEYS, read_federated
from ovdistill.datasets.annotations.images import read_images
from ovdistill.datasets.annotations.objects import ObjectReader
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import Record, shown

LOGGER = logging.getLogger(__name__)
SECTIONS = ("images", "annotations", "categories")


@dataclass
class Annotations:
    """An annotation file, indexed. All ids are whole numbers in [0, 2^53).

    Attributes:
        path: the file that was read.
        categories: category records by name.
        images: image records in file order, each with a ``file_name``.
        annotations: usable annotation records in file order, each with ``bbox`` of four numbers,
            ``area`` above 0, ``iscrowd`` 0 or 1, and ``segmentation`` if it has a usable mask.
        by_image: the same records by image id.
        report: what was left out, changed, doubtful or odd.
        masks: how many annotations have a mask.
        original_image_ids: the ids of images as the file has them, by number.
        original_category_ids: the same of categories.
        header: ``info`` and ``licenses`` of the file, as they are.
    """

    path: Path
    categories: dict[str, Record]
    images: list[Record]
    annotations: list[Record] = field(default_factory=list, repr=False)
    by_image: dict[int, list[Record]] = field(default_factory=dict, repr=False)
    report: Report = field(default_factory=Report)
    masks: int = 0
    original_image_ids: dict[int, Any] = field(default_factory=dict, repr=False)
    original_category_ids: dict[int, Any] = field(default_factory=dict, repr=False)
    header: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def sizes(self) -> dict[int, tuple[int, int]]:
        """Width and height of each image in pixels, by image id."""
        return {image["id"]: (image["width"], image["height"]) for image in self.images}

    @property
    def dropped(self) -> Counter[str]:
        """How many annotations were left out, by kind: a key of ``report.KINDS``."""
        kinds = ("form", "bbox", "bbox_size", "bbox_far", "bbox_outside", "image_id", "category_id")
        return Counter(
            {kind: self.report.counts[kind] for kind in kinds if self.report.counts[kind]}
        )

    @property
    def is_lvis(self) -> bool:
        """True if categories and images have the fields that LVIS's evaluation reads."""
        frequencies = [category.get("frequency") for category in self.categories.values()]
        return all(group in FREQUENCIES for group in frequencies) and all(
            image.keys() >= {*FEDERATED_KEYS} for image in self.images
        )

    def to_coco(self, *, masks_only: bool = False) -> dict[str, Any]:
        """Return what was accepted in COCO's format, a clean copy for evaluators.

        Args:
            masks_only: see ``evaluator_copy``.
        """
        categories = list(self.categories.values())
        return evaluator_copy(self.images, self.annotations, categories, masks_only=masks_only)


def read_annotations(
    path: str | os.PathLike[str], *, allow_outside_images: bool = False, warn: bool = True
) -> Annotations:
    """Read an annotation file by the rules of this module.

    Args:
        path: the file.
        allow_outside_images: take file names that are absolute or lead out of the image folder.
        warn: say what is left out, changed or doubtful; False for callers that print the report.

    Raises:
        UserError: no such file, not JSON, not in COCO or LVIS format, an image or a category
            without what it must have, an id or a category name that occurs twice, a file name
            outside of the image folder, boxes that are not in pixels, or no usable annotation
            among those of the file.
    """
    path = Path(path)
    data = _sections(read_json(path), path, SECTIONS)
    report = Report()
    images, records = data["images"], data["annotations"]
    image_ids = read_images(images, path, report, allow_outside=allow_outside_images)
    categories, category_ids = read_categories(data["categories"], records, path, report)
    read_federated(images, category_ids, path, report)
    sizes = {image["id"]: (image["width"], image["height"]) for image in images}
    objects = ObjectReader(path, sizes, category_ids, report)
    for record in records:
        objects.read(record)
    header: dict[str, Any] = {key: data[key] for key in ("info", "licenses") if key in data}
    found = Annotations(
        path=path,
        categories=categories,
        images=images,
        annotations=objects.kept,
        by_image=_by_image(objects.kept),
        report=report,
        masks=objects.masks,
        original_image_ids=image_ids,
        original_category_ids=category_ids,
        header=header,
    )
    _check_boxes(found, len(records), objects.unit_boxes)
    _count_missing(found)
    if warn and (lines := list(report.lines(harmless=False))):
        LOGGER.warning("in %s\n  %s", path, "\n  ".join(lines))
    return found


def check_crowds(found: Annotations) -> None:
    """Raise UserError if every annotation marks a crowd, so that there is no object to learn."""
    if found.annotations and all(record["iscrowd"] for record in found.annotations):
        raise UserError(
            f"all {len(found.annotations)} annotations of {found.path} are crowds (iscrowd 1), "
            "which are neither trained on nor tested; expected 0 for single objects. Some tools "
            "write 1 for every mask that is an RLE: set it to 0."
        )


def read_sections(
    path: Path, sections: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, list[Any]]:
    """Read lists that a JSON file in COCO's format has at its top level.

    Args:
        path: the file.
        sections: the keys of the lists.
        optional: keys of further lists, which are empty where the file has none.

    Raises:
        UserError: no such file, not JSON, or a section that is missing or not a list.
    """
    content = _sections(read_json(path), path, sections)
    found = {name: content[name] for name in sections}
    others = {name: content.get(name) for name in optional}
    return found | {name: own if isinstance(own, list) else [] for name, own in others.items()}


def read_json(path: str | Path) -> Any:
    """Read a JSON file of annotations or categories; NaN and Infinity are taken.

    Raises:
        UserError: see ``core.json_files.read_json``.
    """
    hint = (
        "Put the data set there, or name its folder with --cfg-options data_root=DIR "
        "(docs/datasets.md)."
    )
    return json_files.read_json(path, "annotation file", hint=hint, allow_nan=True)


def _sections(data: Any, path: Path, sections: tuple[str, ...]) -> dict[str, Any]:
    """Return the content of a file; raise UserError unless it has lists of these names."""
    content = data if isinstance(data, dict) else {}
    missing = [name for name in sections if not isinstance(content.get(name), list)]
    if missing:
        raise UserError(
            f"{path} has no {', '.join(sorted(missing))}; expected the COCO or LVIS format with "
            f"lists of {', '.join(sections)}."
        )
    return content


def _by_image(annotations: list[Record]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    for record in annotations:
        found.setdefault(record["image_id"], []).append(record)
    return found


def _check_boxes(found: Annotations, total: int, unit_boxes: int) -> None:
    """Raise UserError if no annotation of many can be used, or the boxes are not in pixels."""
    kept = len(found.annotations)
    if total and not kept:
        raise UserError(
            f"{found.path} has {len(found.images)} images and 0 annotations that can be used, of "
            f"{total}: {'; '.join(found.report.lines(harmless=False))}."
        )
    if kept and unit_boxes >= UNIT_SHARE * kept:
        raise UserError(
            f"{unit_boxes} of the {kept} boxes of {found.path} are in 0..1, so they are not in "
            "pixels but parts of the image; expected [x, y, width, height] in pixels. Export the "
            "file in COCO's format."
        )


def _count_missing(found: Annotations) -> None:
    """Count categories without an annotation, and annotations without a mask where others have."""
    used = Counter(record["category_id"] for record in found.annotations)
    count_empty(found.categories, used, found.path, found.report)
    if found.masks and found.masks < len(found.annotations):
        for record in found.annotations:
            if "segmentation" not in record:
                name = f"annotation {shown(record.get('id'))} of {found.path}"
                found.report.add("no_mask", name, "no mask")
