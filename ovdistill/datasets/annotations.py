"""Reads annotation files in COCO or LVIS format."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from ovdistill.errors import UserError


@dataclass
class Annotations:
    """An annotation file, indexed.

    Attributes:
        path: where it was read.
        categories: category records by name.
        images: image records in file order, each with a ``file_name``.
        by_image: annotation records by image id.
    """

    path: Path
    categories: dict[str, dict]
    images: list[dict]
    by_image: dict[int, list[dict]] = field(repr=False)


def read_annotations(path: str | Path) -> Annotations:
    """Reads ``path``. LVIS images, which have only ``coco_url``, get ``file_name`` from it.

    Raises:
        UserError: no such file, not JSON, or not in COCO or LVIS format.
    """
    path = Path(path)
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"no annotation file {path}. Put the data set there, or name its place with "
            "--cfg-options data_root=DIR (docs/datasets.md)."
        ) from None
    except ValueError as error:
        raise UserError(f"{path} is not a JSON file ({error}); fetch it again.") from None
    missing = {"images", "annotations", "categories"} - set(data if isinstance(data, dict) else ())
    if missing:
        raise UserError(
            f"{path} has no {', '.join(sorted(missing))}; expected the COCO or LVIS format with "
            "images, annotations and categories."
        )
    by_image = defaultdict(list)
    for annotation in data["annotations"]:
        by_image[annotation["image_id"]].append(annotation)
    for image in data["images"]:
        if "file_name" not in image:
            image["file_name"] = "/".join(image["coco_url"].split("/")[-2:])
    return Annotations(path, {c["name"]: c for c in data["categories"]}, data["images"], by_image)
