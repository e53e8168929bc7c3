"""Compares the images of an annotation file with their files, by the headers alone."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, read_image_size
from ovdistill.core.logs import progress
from ovdistill.core.text import printable
from ovdistill.datasets.annotations.values import Record, shown

THREADS = 8  # headers are small; most of the time is waiting for the disk


@dataclass
class ImageFiles:
    """What was found of the images of an annotation file.

    Attributes:
        folder: where they were looked for.
        total: number of images of the annotation file.
        missing: file names that are not there.
        damaged: a sentence about each file whose header cannot be read.
        other_size: a sentence about each file of another size than the annotations say.
    """

    folder: Path
    total: int
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    other_size: list[str] = field(default_factory=list)

    def raise_for_misfits(self, annotations: Path) -> None:
        """Raise UserError for images that are missing or of another size, or if none can be read.

        Args:
            annotations: the annotation file, for the message.
        """
        problems = []
        if self.missing:
            first = shown(self.missing[0])
            problems.append(
                f"{len(self.missing)} of the {self.total} images of {annotations} are not in "
                f"{self.folder} (the first: {first})"
            )
        if self.other_size:
            problems.append(
                f"{len(self.other_size)} of the {self.total} images of {annotations} have another "
                f"size than the annotations say (the first: {self.other_size[0]}). Boxes would be "
                "in the wrong place: export the annotations again, of these images"
            )
        if self.damaged and len(self.damaged) == self.total:
            problems.append(
                f"none of the {self.total} images of {annotations} can be read (the first: "
                f"{self.damaged[0]})"
            )
        if problems:
            raise UserError("; ".join(problems) + ".")


def check_image_files(images: Sequence[Record], folder: Path) -> ImageFiles:
    """Look for the file of every image, and compare its upright size with the annotations.

    Args:
        images: image records that ``read_annotations`` has accepted.
        folder: the folder that their file names are relative to.
    """
    found = ImageFiles(folder, len(images))
    lists = dict(missing=found.missing, damaged=found.damaged, other_size=found.other_size)
    threads = ThreadPoolExecutor(THREADS)
    try:
        results = threads.map(lambda image: _check(image, folder), images)
        title, total = "sizes of images", len(images)
        for kind, text in progress(results, title=title, unit="image", total=total, leave=False):
            if kind:
                lists[kind].append(text)
    finally:
        threads.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest
    return found


def _check(image: Record, folder: Path) -> tuple[str, str]:
    """Return the list of ``ImageFiles`` that an image belongs in, "" for none, and a sentence."""
    name = image["file_name"]
    path = folder / name
    if not os.path.exists(path):  # pathlib's own raises for names that are too long
        return "missing", name
    try:
        height, width = read_image_size(path)
    except ImageError as error:
        return "damaged", printable(f"{name}: {error.problem}")
    stated = (image["width"], image["height"])
    if (width, height) == stated:
        return "", ""
    swapped = (height, width) == stated
    why = " (width and height swapped: perhaps turned by its EXIF data)" if swapped else ""
    return "other_size", (
        f"{shown(name)} is {width} x {height}, in the annotations {stated[0]} x {stated[1]}{why}"
    )
