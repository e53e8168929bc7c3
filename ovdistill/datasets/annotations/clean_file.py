"""Makes the clean form of an annotation file: what the reader accepts, without what is wrong."""

from __future__ import annotations

import math
from typing import Any

from ovdistill.datasets.annotations.categories import twins
from ovdistill.datasets.annotations.federated import FEDERATED_KEYS
from ovdistill.datasets.annotations.reader import Annotations
from ovdistill.datasets.annotations.values import Record


def clean_file(found: Annotations) -> dict[str, Any]:
    """Return an annotation file as it was accepted, in COCO's format.

    Further keys of records, ``info`` and ``licenses`` stay, where JSON can hold them. Categories
    whose names are spellings of one become one. Annotations keep their ids if all are numbers that
    occur once, else they are numbered from 1. Images that have the file of another one stay: which
    annotations belong to the picture, or whether a file name is wrong, only the user knows.
    """
    same = {
        found.categories[later]["id"]: found.categories[earlier]["id"]
        for later, earlier in twins(found.categories).items()
    }
    counts = found.report.counts
    renumbered = counts["id"] or counts["id_repeated"]
    annotations = [
        record
        | ({"id": number} if renumbered else {})
        | {"category_id": same.get(record["category_id"], record["category_id"])}
        for number, record in enumerate(found.annotations, 1)
    ]
    header = {"info": {}, "licenses": []} | found.header
    categories = [c for c in found.categories.values() if c["id"] not in same]
    images = [_merged(image, same) for image in found.images]
    content = dict(header, images=images, annotations=annotations, categories=categories)
    return _without_nan(content)


def _merged(image: Record, same: dict[int, int]) -> Record:
    """Return an image record whose lists of categories know the merged ones."""
    lists = {key: image[key] for key in FEDERATED_KEYS if same and key in image}
    return image | {
        key: list(dict.fromkeys(same.get(number, number) for number in numbers))
        for key, numbers in lists.items()
    }


def _without_nan(value: Any) -> Any:
    """Return a value of a JSON file with null for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
