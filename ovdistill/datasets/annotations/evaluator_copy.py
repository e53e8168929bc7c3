"""Makes the copy of an annotation file that evaluators get: the keys that they read, no others.

Fields that tools add (licences, dates, attributes) never reach an evaluator, which may expect them
in another form. Annotations are numbered from 1: pycocotools takes id 0 for "no match", and all
evaluators index annotations by id, so that repeated ones are lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ovdistill.datasets.annotations.federated import FEDERATED_KEYS
from ovdistill.datasets.annotations.values import Record, is_text

IMAGE_KEYS = ("id", "file_name", "height", "width", *FEDERATED_KEYS)
ANNOTATION_KEYS = ("image_id", "category_id", "bbox", "area", "iscrowd")
FREQUENCIES = ("r", "c", "f")  # LVIS: rare, common, frequent


def evaluator_copy(
    images: Sequence[Record],
    annotations: Sequence[Record],
    categories: Sequence[Record],
    *,
    masks_only: bool = False,
) -> dict[str, Any]:
    """Return records in COCO's format that evaluators take.

    Args:
        images: image records that ``read_annotations`` has accepted.
        annotations: annotation records of the same.
        categories: category records of the same.
        masks_only: for the evaluation of masks. An annotation without one becomes a crowd with its
            box as mask, so that a mask found there is neither right nor wrong.
    """
    return {
        "info": {},
        "licenses": [],
        "images": [{key: image[key] for key in IMAGE_KEYS if key in image} for image in images],
        "annotations": list(_annotations(annotations, masks_only=masks_only)),
        "categories": [_category(record) for record in categories],
    }


def _annotations(records: Sequence[Record], *, masks_only: bool) -> Iterator[Record]:
    for number, record in enumerate(records, 1):
        clean = {"id": number, **{key: record[key] for key in ANNOTATION_KEYS}}
        if "segmentation" in record:
            clean["segmentation"] = record["segmentation"]
        elif masks_only:
            x, y, w, h = record["bbox"]
            outline = [x, y, x + w, y, x + w, y + h, x, y + h]
            clean |= {"iscrowd": 1, "segmentation": [outline]}
        yield clean


def _category(record: Record) -> Record:
    clean = {"id": record["id"], "name": record["name"]}
    if is_text(record.get("supercategory")):
        clean["supercategory"] = record["supercategory"]
    if record.get("frequency") in FREQUENCIES:
        clean["frequency"] = record["frequency"]
    return clean
