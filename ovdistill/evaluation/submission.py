"""Writes detections in the official results format of COCO and LVIS.

Such a file is a list of ``{"image_id", "category_id", "score"}`` with either ``"bbox"`` (x, y,
width, height in pixels of the original image) or ``"segmentation"`` (an RLE whose counts are text).
Ids are those of the annotation file. The evaluation servers and `ovdistill test --results` take it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ovdistill.core.files import atomic_file
from ovdistill.core.masks import rle_to_json
from ovdistill.datasets.annotations import Annotations
from ovdistill.evaluation.evaluate import Protocol
from ovdistill.evaluation.records import Records, best_of_images

CHUNK = 10_000  # detections that are dicts at the same time


def write_submissions(
    prefix: str, found: Mapping[str, Records], truth: Annotations, protocol: Protocol
) -> None:
    """Write detections to ``PREFIX.METRIC.json``; for LVIS as many of an image as count there.

    Args:
        prefix: path and first part of the name of the files.
        found: the detections by metric, 'bbox' or 'segm'.
        truth: the annotation file, whose ids are written.
        protocol: how the detections are evaluated.

    Raises:
        UserError: a file cannot be written.
    """
    for metric, records in found.items():
        if protocol.name == "lvis":
            records = best_of_images(records, protocol.limit)
        write_submission(f"{prefix}.{metric}.json", records, metric, truth)


def write_submission(
    path: str | os.PathLike[str], records: Records, metric: str, truth: Annotations
) -> None:
    """Write detections to a file, complete or not at all, with one detection a line.

    Args:
        path: the file.
        records: the detections.
        metric: 'bbox' for the boxes, 'segm' for the masks.
        truth: the annotation file, whose ids are written.

    Raises:
        UserError: the file cannot be written.
        ValueError: a score or a box is NaN or infinite, which JSON does not have.
    """
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("[")
        for number, row in enumerate(_rows(records, metric, truth)):
            file.write(",\n" if number else "\n")
            file.write(json.dumps(row, allow_nan=False))
        file.write("\n]\n")


def _rows(records: Records, metric: str, truth: Annotations) -> Iterator[dict[str, Any]]:
    """Yield the detections with the ids of the annotation file, and masks as text."""
    for start in range(0, len(records), CHUNK):
        chunk = records.take(np.arange(start, min(start + CHUNK, len(records))))
        for row in chunk.dicts(metric):
            row["image_id"] = truth.original_image_ids[row["image_id"]]
            row["category_id"] = truth.original_category_ids[row["category_id"]]
            if "segmentation" in row:
                row["segmentation"] = rle_to_json(row["segmentation"])
            yield row
