"""Detections as COCO's results, and as an annotation file in COCO's format."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.rle import encode_rle
from ovdistill.inference.formats.parts import class_numbers, size_of

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections


def coco_results(
    detections: Detections, image_id: int, category_ids: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """Return the detections of one image as COCO's results, which ``COCO.loadRes`` takes.

    Args:
        detections: n detections.
        image_id: the image's id in the annotation file.
        category_ids: the id of each name; by default the queries count from 1.

    Returns:
        n dicts of ``image_id``, ``category_id``, ``bbox`` (xywh, absolute pixels), ``score`` and,
        if there are masks, ``segmentation`` (compressed RLE).

    Raises:
        UserError: a name without an id.
    """
    results = []
    numbers = class_numbers(detections, category_ids, first=1)
    for one, category_id in zip(detections, numbers, strict=True):
        x1, y1, x2, y2 = one.box
        result: dict[str, Any] = {
            "image_id": image_id,
            "category_id": category_id,
            "bbox": [round(value, 3) for value in (x1, y1, x2 - x1, y2 - y1)],
            "score": round(one.score, 6),
        }
        mask = one.mask
        if mask is not None:
            result["segmentation"] = encode_rle(mask)
        results.append(result)
    return results


class CocoFile:
    """An annotation file in COCO's format, filled image by image.

    Args:
        category_ids: the id of each name; by default the names count from 1 as they come.
        image_folder: the folder that ``file_name`` is relative to; by default it is the path.
    """

    def __init__(
        self,
        category_ids: Mapping[str, int] | None = None,
        image_folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.given = category_ids
        self.ids = dict(category_ids or {})
        self.image_folder = image_folder
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []

    def add(self, detections: Detections) -> None:
        """Add an image with its detections.

        Raises:
            UserError: detections that do not name their image or its size, or a name without an id.
        """
        if self.given is None:
            for name in (*detections.queries, *detections.names):
                self.ids.setdefault(name, len(self.ids) + 1)
        image_id = len(self.images) + 1
        height, width = size_of(detections)
        name = _file_name(detections, self.image_folder)
        self.images.append({"id": image_id, "file_name": name, "height": height, "width": width})
        areas = detections.areas.tolist()
        results = coco_results(detections, image_id, self.ids)
        for result, area in zip(results, areas, strict=True):
            own = {"id": len(self.annotations) + 1, "area": round(area, 2), "iscrowd": 0}
            self.annotations.append(own | result)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON file."""
        categories = [{"id": number, "name": name} for name, number in self.ids.items()]
        content = {"images": self.images, "annotations": self.annotations, "categories": categories}
        write_json(path, content, indent=None)


def write_coco(
    path: str | os.PathLike[str],
    found: Iterable[Detections],
    category_ids: Mapping[str, int] | None = None,
    image_folder: str | os.PathLike[str] | None = None,
) -> None:
    """Write the detections in many images as an annotation file, to be corrected or trained on.

    Args:
        path: the JSON file.
        found: the detections of each image, which name its file.
        category_ids: see ``CocoFile``.
        image_folder: see ``CocoFile``.

    Raises:
        UserError: see ``CocoFile.add``; or a path that cannot be written to.
    """
    file = CocoFile(category_ids, image_folder)
    for detections in found:
        file.add(detections)
    file.write(path)


def _file_name(detections: Detections, folder: str | os.PathLike[str] | None) -> str:
    if detections.path is None:
        raise UserError("these detections name no image file: dataclasses.replace(found, path=...)")
    path = Path(detections.path)
    return (path if folder is None else Path(os.path.relpath(path, folder))).as_posix()
