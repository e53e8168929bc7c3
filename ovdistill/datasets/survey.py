"""Surveys an annotation file of one's own before anything is trained on it."""

from __future__ import annotations

import os.path
from dataclasses import dataclass, field
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, check_crowds, read_annotations
from ovdistill.datasets.annotations.class_categories import find_categories
from ovdistill.datasets.annotations.image_files import ImageFiles, check_image_files
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import shown
from ovdistill.datasets.names import names_of_annotations
from ovdistill.vocabulary import Names
from ovdistill.vocabulary.names import check_names

SEARCHED_IMAGES = 5  # a folder that has the first images is taken for theirs; then all are checked
MASK_SHARE = 0.95  # with fewer masks than this, a training on masks would ignore too many objects


@dataclass(frozen=True)
class Survey:
    """The content of an annotation file in COCO or LVIS format, in numbers.

    Attributes:
        path: the file.
        image_folder: the folder that its file names are relative to.
        classes: the categories, in the order of their ids.
        images: number of images.
        annotations: number of annotations that can be used.
        empty: number of images without an annotation.
        masks: number of annotations that have a mask.
        lvis: True if it has the fields that LVIS's evaluation reads.
        report: what was left out, changed, doubtful or odd.
        damaged: a sentence about each image file that cannot be read.
        without_boxes: names of the categories that no usable annotation has, crowds aside.
    """

    path: Path
    image_folder: Path
    classes: Names
    images: int
    annotations: int
    empty: int
    masks: int
    lvis: bool
    report: Report = field(default_factory=Report)
    damaged: tuple[str, ...] = ()
    without_boxes: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The category names, in the order of their ids."""
        return self.classes.names

    @property
    def with_masks(self) -> bool:
        """True if at least ``MASK_SHARE`` of the annotations have a mask."""
        return self.masks >= MASK_SHARE * self.annotations


def survey(
    path: Path,
    image_folder: Path | None = None,
    *,
    likely: Path | None = None,
    option: str = "--images",
    allow_outside_images: bool = False,
) -> Survey:
    """Read an annotation file, find its images, compare their sizes, and count what it holds.

    Args:
        path: the file.
        image_folder: the folder that its file names are relative to; None looks for it.
        likely: where to look for it first.
        option: of the command line that names the folder, for the message.
        allow_outside_images: as ``read_annotations``.

    Raises:
        UserError: see ``read_annotations`` and ``names_of_annotations``; no image or no annotation
            that can be used, or crowds alone; category names that are spellings of each other; or
            images that are not there or of another size.
    """
    content = read_annotations(path, allow_outside_images=allow_outside_images, warn=False)
    classes = names_of_annotations(content)
    check_names(classes.names, repr(str(path)))
    found = content.annotations
    if not content.images or not found:
        raise UserError(
            f"{path} has {len(content.images)} images and {len(found)} annotations that can be "
            "used."
        )
    check_crowds(content)
    folder = find_image_folder(content, image_folder, likely, option)
    files = check_image_files(content.images, folder)
    files.raise_for_misfits(path)
    return _survey(content, classes, files)


def find_image_folder(
    content: Annotations,
    given: Path | None,
    likely: Path | None = None,
    option: str = "--images",
) -> Path:
    """Return the folder in which the first images of the file are found.

    Args:
        content: the annotation file.
        given: a folder to take; None looks in ``likely``, beside the file and above it.
        likely: see ``survey``.
        option: see ``survey``.

    Raises:
        UserError: the images are not there.
    """
    beside = content.path.parent
    above = beside.parent
    tried = [given] if given else [beside, beside / "images", above, above / "images"]
    tried = [likely, *tried] if likely and not given else tried
    names = [image["file_name"] for image in content.images[:SEARCHED_IMAGES]]
    for folder in tried:
        if any(os.path.isfile(folder / name) for name in names):
            return folder
    raise UserError(
        f"the images of {content.path} (the first: {shown(names[0])}) are not in "
        f"{', '.join(map(str, tried))}. Name the folder that these names are relative to: "
        f"{option} DIR."
    )


def _survey(content: Annotations, classes: Names, files: ImageFiles) -> Survey:
    labelled = {a["category_id"] for a in content.annotations if not a["iscrowd"]}
    ids = find_categories(classes.names, content.categories)
    named = zip(classes.names, ids, strict=True)
    return Survey(
        path=content.path,
        image_folder=files.folder,
        classes=classes,
        images=len(content.images),
        annotations=len(content.annotations),
        empty=sum(image["id"] not in content.by_image for image in content.images),
        masks=content.masks,
        lvis=content.is_lvis,
        report=content.report,
        damaged=tuple(files.damaged),
        without_boxes=frozenset(name for name, number in named if number not in labelled),
    )
