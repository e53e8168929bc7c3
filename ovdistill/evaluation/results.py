"""Detections of any system for an evaluation: which file gives the boxes, which one the masks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.json_list import read_json_list
from ovdistill.datasets.annotations import Annotations
from ovdistill.datasets.annotations.boxes import UNIT_SHARE
from ovdistill.datasets.annotations.report import Effect
from ovdistill.evaluation.evaluate import Protocol
from ovdistill.evaluation.records import Records
from ovdistill.evaluation.results_reader import EXPECTED, ResultsReader

LOGGER = logging.getLogger(__name__)


def read_results(paths: Sequence[Path], truth: Annotations) -> dict[str, Records]:
    """Read one file of detections, or one of boxes and one of masks.

    Detections with a bbox give 'bbox', those with a segmentation 'segm'. Where one file has both
    and another one boxes alone, the latter gives the boxes. A file without any detection is one of
    boxes, unless its name ends in ".segm.json".

    Args:
        paths: the files.
        truth: the annotation file, whose images and categories they are about.

    Returns:
        The detections by metric, 'bbox' before 'segm'.

    Raises:
        UserError: a file that is refused (see ``results_kinds``), that has nothing to do with the
            annotation file, or two that give the same.
    """
    boxes: dict[Path, Records] = {}
    masks: dict[Path, Records] = {}
    spare: dict[Path, Records] = {}  # boxes that masks come with
    for path in paths:
        records, (with_boxes, with_masks) = read_file(path, truth)
        if with_masks:
            masks[path] = records
        if with_boxes:
            (spare if with_masks else boxes)[path] = records
    found = {"bbox": boxes or spare, "segm": masks}
    for metric, files in found.items():
        if len(files) > 1:
            raise UserError(
                f"{' and '.join(map(str, files))} both give detections for {metric}; expected one "
                "file of boxes, one of masks, or one of both."
            )
    return {metric: next(iter(files.values())) for metric, files in found.items() if files}


def read_file(path: Path, truth: Annotations) -> tuple[Records, tuple[bool, bool]]:
    """Read one file, and say what is left out or doubtful.

    Args:
        path: the file.
        truth: the annotation file.

    Returns:
        The detections; and whether they have boxes, and masks.

    Raises:
        UserError: see ``read_results``.
    """
    reader = ResultsReader(path, truth)
    for record in read_json_list(path, EXPECTED):
        reader.read(record)
    records = reader.records()
    _say(reader, records, truth)
    if reader.fields:
        return records, reader.fields
    return records, (not path.name.endswith(".segm.json"), path.name.endswith(".segm.json"))


def unused(
    records: Records, cat_ids: Sequence[int], image_ids: Sequence[int], protocol: Protocol
) -> Iterator[str]:
    """Yield a sentence for each kind of detections or images that an evaluation has no use for.

    Args:
        records: the detections.
        cat_ids: the categories that are evaluated.
        image_ids: the images that are evaluated.
        protocol: how they are evaluated.
    """
    if others := int((~np.isin(records.category_ids, cat_ids)).sum()):
        yield f"{others} of {len(records)} detections are of categories that are not evaluated"
    if empty := len(image_ids) - len(np.unique(records.image_ids)):
        yield f"nothing was found in {empty} of the {len(image_ids)} images, which count"
    groups, what = records.image_ids, "images"
    if protocol.name == "coco":  # an image and class, as one number
        classes, columns = np.unique(records.category_ids, return_inverse=True)
        rows = np.unique(records.image_ids, return_inverse=True)[1]
        groups, what = rows * len(classes) + columns, "pairs of image and class"
    numbers = np.unique(groups, return_counts=True)[1]
    if above := int((numbers > protocol.limit).sum()):
        yield (
            f"{above} {what} have more than {protocol.limit} detections (up to {numbers.max()}), "
            f"of which the best {protocol.limit} count"
        )


def _say(reader: ResultsReader, records: Records, truth: Annotations) -> None:
    """Log the problems of a file; raise UserError for those that nobody should evaluate."""
    report = reader.report
    lines = "\n  ".join(report.lines())
    if report.of(Effect.REFUSED):
        raise UserError(f"{reader.path} is refused\n  {lines}")
    if lines and not len(records):
        raise UserError(
            f"no detection of {reader.path} is of an image and a category of {truth.path}\n  "
            f"{lines}\nGive the annotation file that the detections were made for."
        )
    with_boxes = bool(reader.fields and reader.fields[0])
    if with_boxes and len(records) and np.all(records.boxes <= 1.001, axis=1).mean() >= UNIT_SHARE:
        raise UserError(
            f"the boxes of {reader.path} are in 0..1, so they are not in pixels but parts of the "
            "image; expected x, y, width, height in pixels."
        )
    if lines:
        LOGGER.warning("in %s\n  %s", reader.path, lines)
    elif not len(records):
        LOGGER.warning("%s has no detection", reader.path)
