"""Looks an annotation file of one's own over before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.category_names import read_names

TRIED = 5  # images that are looked for on disk


@dataclass(frozen=True)
class Survey:
    """What an annotation file in COCO or LVIS format holds.

    Attributes:
        path: the file.
        image_folder: the folder that its file names are relative to.
        names: the categories, by id.
        images: number of images.
        annotations: number of annotations.
        empty: images without an annotation.
        masks: annotations that have a mask.
        lvis: it has the fields that LVIS's evaluation reads.
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
        """Whether every annotation has a mask."""
        return self.masks == self.annotations


def survey(path: Path, image_folder: Path | None = None) -> Survey:
    """Reads and checks an annotation file.

    Args:
        path: the file.
        image_folder: the folder that its file names are relative to; looked for unless given.

    Raises:
        UserError: no such file, not in COCO's format, categories that are not unique, images
            that are not there, or an annotation without a box, an area, its image or category.
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
    """The folder from which the first file names lead to files."""
    near = content.path.parent
    tried = [given] if given else [near, near / "images", near.parent, near.parent / "images"]
    names = [image["file_name"] for image in content.images[:TRIED]]
    for folder in tried:
        if all((folder / name).is_file() for name in names):
            return folder
    raise UserError(
        f"the images of {content.path} (the first: {names[0]}) are not in "
        f"{', '.join(map(str, tried))}. Name the folder that these names are relative to: "
        "--images DIR."
    )


def _is_lvis(content: Annotations) -> bool:
    frequencies = {category.get("frequency") for category in content.categories.values()}
    fields = {"neg_category_ids", "not_exhaustive_category_ids"}
    return frequencies <= {"r", "c", "f"} and all(
        fields <= image.keys() for image in content.images
    )
