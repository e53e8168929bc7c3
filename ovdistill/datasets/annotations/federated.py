"""The rules for LVIS's lists of an image's absent and not exhaustively labelled categories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import Record, shown

FEDERATED_KEYS = ("neg_category_ids", "not_exhaustive_category_ids")


def read_federated(
    images: list[Record], categories: Mapping[int, object], path: Path, report: Report
) -> None:
    """Leave ids of categories of the file in these lists, as numbers, in place.

    A list that is null, or no list, is taken away.

    Args:
        images: the image records.
        categories: the categories of the file, by number.
        path: the file, for messages.
        report: where problems are counted.
    """
    for image in images:
        for key in FEDERATED_KEYS:
            if key not in image:
                continue
            value = image[key]
            ids = _known(value, categories)
            if ids != value:
                report.add("federated", f"image {image['id']} of {path}", f"{key} {shown(value)}")
            if ids is None:
                del image[key]
            else:
                image[key] = ids


def _known(value: Any, categories: Mapping[int, object]) -> list[int] | None:
    if not isinstance(value, list):
        return None
    if all(type(item) is int and item in categories for item in value):
        return value
    found = []
    for item in value:
        try:
            number = image_number(item)
        except UserError:
            continue
        if number in categories:
            found.append(number)
    return found
