"""Check a data set with label maps: PASCAL VOC 2012, COCO-Stuff or ADE20K-150.

    ovdistill prepare-segmentation voc VOCdevkit/VOC2012
    ovdistill prepare-segmentation coco-stuff data/coco --subset val
    ovdistill prepare-segmentation ade20k ADEChallengeData2016

looks for every image and label map, reads a sample of them, and prints how many pixels each class
has. Nothing is written: training and testing read the official files (docs/segmentation_data.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument, option
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.evaluation.text_tables import TextTable
    from ovdistill.segmentation.data.official import Layout, Subset
    from ovdistill.segmentation.data.survey import Survey

SHOWN = 5  # missing files, or problems, that an error lists


@dataclass(frozen=True, kw_only=True)
class PrepareSegmentationOptions(CommonOptions):
    """Options of ``ovdistill prepare-segmentation``."""

    data: Literal["voc", "coco-stuff", "ade20k"] = argument("which data set")
    root: Path = argument("its folder")
    subset: tuple[str, ...] = option(
        (),
        help="train, val, and trainaug of VOC (default: all that have label maps)",
        metavar="NAME",
    )
    sample: int = option(200, help="pairs of image and label map to read of a subset", least=0)


def prepare_segmentation(options: PrepareSegmentationOptions) -> None:
    """Check the files, and print the pixels of each class.

    Raises:
        UserError: files that are missing or cannot be used.
    """
    check_folder(options.root, "ROOT")
    from ovdistill.datasets.names.label_table import load_label_table
    from ovdistill.segmentation.data.official import LAYOUTS
    from ovdistill.segmentation.data.survey import survey

    layout = LAYOUTS[options.data]
    table = load_label_table(layout.labels)
    errors = []
    for name, subset in layout.wanted(options.subset, options.root).items():
        found = survey(options.root, subset, table, options.sample)
        print_subset(name, subset, found)
        if found.sample:
            class_table(layout, name, table.class_names().names, found).show()
        if problem := describe_problems(subset, found):
            errors.append(f"{layout.title} {name}: {problem}")
    if errors:
        raise UserError("\n".join(errors))


def print_subset(name: str, subset: Subset, found: Survey) -> None:
    """Print what a subset has."""
    kind = "" if found.images == subset.count else f" (the official subset has {subset.count:,})"
    print(f"{name}: {found.images:,} images{kind}, {found.sample:,} label maps read")


def class_table(layout: Layout, name: str, names: tuple[str, ...], found: Survey) -> TextTable:
    """Return the classes of the sample with their share of its pixels, the largest first."""
    from ovdistill.evaluation.text_tables import TextTable
    from ovdistill.vocabulary import base_mask

    total = max(int(found.pixels.sum()) + found.ignored, 1)
    groups = ["seen" if base else "unseen" for base in base_mask(names, split=layout.split)]
    rows = [
        [names[row], groups[row], f"{found.pixels[row]:,}", f"{found.pixels[row] / total:.2%}"]
        for row in found.pixels.argsort(kind="stable")[::-1]
        if found.pixels[row]
    ]
    absent = sum(not count for count in found.pixels)
    rows.append(["(no class)", "", f"{found.ignored:,}", f"{found.ignored / total:.2%}"])
    title = f"{layout.title} {name}: pixels of {found.sample:,} images, split {layout.split}"
    if absent:
        title += f"; {absent} of {len(names)} classes have none"
    return TextTable(title, ["class", "group", "pixels", "share"], rows)


def describe_problems(subset: Subset, found: Survey) -> str:
    """Return what is missing or broken in a subset, and where to get it; "" if nothing is."""
    parts = []
    if found.missing:
        first = "\n  ".join(map(str, found.missing[:SHOWN]))
        parts.append(f"{len(found.missing):,} files are missing, such as\n  {first}")
    if found.problems:
        first = "\n  ".join(found.problems[:SHOWN])
        parts.append(f"{len(found.problems):,} of the sample cannot be used:\n  {first}")
    return "\n".join([*parts, subset.source]) if parts else ""
