"""Writes the captions of the images of an instances file, in COCO's format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ovdistill.datasets.annotations import IMAGE_KEYS, Record
from ovdistill.datasets.annotations.captions import CAPTION_KEYS
from ovdistill.datasets.official.instances import Counts
from ovdistill.datasets.official.output import noted_counts, write_annotations
from ovdistill.datasets.official.report import Row
from ovdistill.datasets.official.source import SourceFile


def write_captions_of(
    instances: SourceFile,
    captions: SourceFile,
    origin: Mapping[str, Any],
    path: Path,
    *,
    force: bool = False,
) -> Row:
    """Write the captions of the images of ``instances``, without white space at their ends.

    Captions that are empty then are dropped.

    Args:
        instances: COCO's file of instances with the images.
        captions: COCO's file of captions.
        origin: what the written file is made from, see ``noted_counts``.
        path: the file to write.
        force: write it even if it is there.

    Raises:
        UserError: one of the files is damaged, or they have no image in common.
    """
    known = noted_counts(path, origin, force=force)
    if known is not None:
        return Row.unchanged(path, captions, known)
    images = {image["id"] for image in instances.records("images", IMAGE_KEYS)}
    counts = _count(captions, images)
    if not counts.kept:
        raise captions.error(f"has no caption of an image of {instances.path}")
    sections = {
        "licenses": captions.value("licenses", list),
        "images": (
            image
            for image in captions.records("images", frozenset({"id"}))
            if image["id"] in images
        ),
        "annotations": (
            record
            for record in _stripped(captions)
            if record["caption"] and record["image_id"] in images
        ),
    }
    write_annotations(path, captions.value("info", dict), origin, asdict(counts), sections)
    return Row(path, captions, counts, "written")


def _count(captions: SourceFile, images: AbstractSet[int]) -> Counts:
    """Count the captions of these images, and the images without one."""
    with_caption = set()
    kept = dropped = 0
    for record in _stripped(captions):
        if record["caption"] and record["image_id"] in images:
            kept += 1
            with_caption.add(record["image_id"])
        else:
            dropped += 1
    return Counts(len(images), kept, dropped, len(images) - len(with_caption))


def _stripped(captions: SourceFile) -> Iterator[Record]:
    for record in captions.records("annotations", CAPTION_KEYS | {"id"}):
        yield {**record, "caption": record["caption"].strip()}
