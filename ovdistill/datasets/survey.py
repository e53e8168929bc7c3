"""Surveys an annotation file of one's own before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.category_names import read_names

CHECKED_IMAGES = 5  # that many of the images are looked for on disk


@dataclass(frozen=True)
class Survey:
    """The content of an annotation file in COCO or LVIS format, in numbers.

    Attributes:
        path: the file.
        image_folder: the folder that its file names are relative to.
        names: the category names, in the order of their ids.
        images: number of images.
        annotations: number of annotations that can be used.
        empty: number of images without an annotation.
        masks: number of annotations that have a mask.
        lvis: True if it has the fields that LVIS's evaluation reads.
    """

    path: Path
    image_folder: Path
    names: tuple[str, ...]
    images: int
    annotations: int
    empty: int
    masks: int
    lvis: bool

    @property
    def with_masks(self) -> bool:
        """True if every annotation has a mask."""
        return self.masks == self.annotations


def survey(path: Path, image_folder: Path | None = None) -> Survey:
    """Read an annotation file, find its images and count what it holds.

    Args:
        path: the file.
        image_folder: the folder that its file names are relative to; None looks for it.

    Raises:
        UserError: see ``read_annotations`` and ``read_names``; no image or no annotation that can
            be used; or images that are not there.
    """
    content = read_annotations(path)
    names = read_names(path).names
    found = content.annotations
    if not content.images or not found:
        first = f"; {content.first_dropped}" if content.first_dropped else ""
        raise UserError(
            f"{path} has {len(content.images)} images and {len(found)} annotations that can be "
            f"used{first}."
        )
    return Survey(
        path=path,
        image_folder=_find_image_folder(content, image_folder),
        names=names,
        images=len(content.images),
        annotations=len(found),
        empty=sum(image["id"] not in content.by_image for image in content.images),
        masks=sum(bool(item.get("segmentation")) for item in found),
        lvis=_is_lvis(content),
    )


def _find_image_folder(content: Annotations, given: Path | None) -> Path:
    """Return the folder in which the first images of the file are found."""
    beside = content.path.parent
    above = beside.parent
    tried = [given] if given else [beside, beside / "images", above, above / "images"]
    names = [image["file_name"] for image in content.images[:CHECKED_IMAGES]]
    for folder in tried:
        if all((folder / name).is_file() for name in names):
            return folder
    raise UserError(
        f"the images of {content.path} (the first: {names[0]}) are not in "
        f"{', '.join(map(str, tried))}. Name the folder that these names are relative to: "
        "--images DIR."
    )


def _is_lvis(content: Annotations) -> bool:
    """Return whether categories and images have the fields that LVIS's evaluation reads."""
    frequencies = {category.get("frequency") for category in content.categories.values()}
    fields = {"neg_category_ids", "not_exhaustive_category_ids"}
    return frequencies <= {"r", "c", "f"} and all(
        fields <= image.keys() for image in content.images
    )
