"""Check an annotation file in COCO's or LVIS's format, as training and testing will read it.

    ovdistill check train.json --images images
    ovdistill check train.json --fix clean.json

Prints what the file holds and each kind of problem: how many records have it, what is done about
it, and an example. The exit code is 0 if nothing was found or nothing that matters ("harmless"), 1
if records are left out, changed or doubtful, or images cannot be read, and 2 if the file is
refused: it cannot be read, or images are missing or of another size than it says. With --fix it is
0 if the clean file was written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import CommonOptions, argument, flag, option
from ovdistill.commands.printing import print_lines
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.datasets.annotations import Annotations
    from ovdistill.datasets.annotations.report import Report

SHOWN_CATEGORIES = 50


@dataclass(frozen=True, kw_only=True)
class CheckOptions(CommonOptions):
    """Options of ``ovdistill check``."""

    annotations: Path = argument("annotation file, in COCO's or LVIS's format", metavar="ANN.json")
    images: Path | None = option(
        None,
        metavar="DIR",
        help="compare the images of this folder with the file (default: not looked at)",
    )
    fix: Path | None = option(
        None, metavar="OUT.json", help="write the file as it is read, without what is wrong"
    )
    all_categories: bool = flag(help=f"list all categories, not the first {SHOWN_CATEGORIES}")
    allow_outside_images: bool = flag(
        help="take file names that are absolute or lead out of the image folder"
    )
    force: bool = flag(help="replace a file that is there")


def check(options: CheckOptions) -> int:
    """Print the report and write the clean file.

    Returns:
        The exit code.

    Raises:
        UserError: the file is refused, or the clean file is there already.
    """
    check_file(options.annotations, "annotations")
    if options.images:
        check_folder(options.images, "--images")
    if options.fix and os.path.lexists(options.fix) and not options.force:
        raise UserError(f"{options.fix} is there already: --force replaces it.")
    from ovdistill.core.files import write_json
    from ovdistill.datasets.annotations import read_annotations
    from ovdistill.datasets.annotations.clean_file import clean_file
    from ovdistill.datasets.annotations.report import Effect

    found = read_annotations(
        options.annotations, allow_outside_images=options.allow_outside_images, warn=False
    )
    print_lines(describe(found, None if options.all_categories else SHOWN_CATEGORIES))
    print_lines(problem_lines(found.report))
    damaged = _check_images(found, options.images) if options.images else False
    if options.fix:
        write_json(options.fix, clean_file(found), indent=None)
        print(f"wrote {options.fix}")
        return 0
    matters = found.report.of(Effect.LEFT_OUT, Effect.CHANGED, Effect.DOUBTFUL)
    return int(bool(matters) or damaged)


def describe(found: Annotations, limit: int | None) -> Iterator[str]:
    """Yield lines on what a file holds: its numbers, and those of its categories.

    Args:
        found: the file.
        limit: the most categories to list; None lists all.
    """
    from collections import Counter

    from ovdistill.datasets.annotations.values import shown

    crowds = sum(record["iscrowd"] for record in found.annotations)
    yield (
        f"{found.path}: {len(found.images)} images, {len(found.annotations)} annotations that are "
        f"used ({found.masks} with a mask, {crowds} crowds), {len(found.categories)} categories"
    )
    used = Counter(record["category_id"] for record in found.annotations)
    pairs = {(record["category_id"], record["image_id"]) for record in found.annotations}
    images = Counter(category for category, _ in pairs)
    for row, (name, category) in enumerate(found.categories.items()):
        if row == limit:
            yield f"  ... and {len(found.categories) - row} more (--all-categories)"
            return
        number = category["id"]
        yield f"  {shown(name)}: {used[number]} annotations in {images[number]} images"


def problem_lines(report: Report) -> Iterator[str]:
    """Yield a line for each kind of problem; one line if there is none."""
    lines = list(report.lines())
    yield from lines or ["no problems"]


def _check_images(found: Annotations, folder: Path) -> bool:
    """Compare the images with the file, print those that cannot be read, and return if any."""
    from ovdistill.datasets.annotations.image_files import check_image_files

    files = check_image_files(found.images, folder)
    files.raise_for_misfits(found.path)
    if files.damaged:
        print(f"{len(files.damaged)} images cannot be read (the first: {files.damaged[0]})")
    return bool(files.damaged)
