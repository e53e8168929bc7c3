"""Looks an annotation file of one's own over before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.errors import UserError
from ovdistill.vocabulary import read_names

TRIED = 5  # pictures that are looked for on disk


@dataclass(frozen=True)
class Survey:
    """What an annotation file in COCO or LVIS format holds.

    Attributes:
        path: the file.
        pictures: the folder that its file names are relative to.
        names: the categories, by id.
        images: number of pictures.
        annotations: number of annotations.
        empty: pictures without an annotation.
        masks: annotations that have a mask.
        lvis: it has the fields that LVIS's evaluation reads.
    """

    path: Path
    pictures: Path
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


def survey(path: Path, pictures: Path | None = None) -> Survey:
    """Reads and checks an annotation file.

    Args:
        path: the file.
        pictures: the folder that its file names are relative to; looked for unless given.

    Raises:
        UserError: no such file, not in COCO's format, categories that are not unique, pictures
            that are not there, or an annotation without a box, an area, its picture or category.
    """
    if not path.is_file():
        raise UserError(f"no annotation file {path}; expected one in COCO's format.")
    content = read_annotations(path)
    names = read_names(path).names
    found = [item for items in content.by_image.values() for item in items]
    if not content.images or not found:
        raise UserError(f"{path} has {len(content.images)} images and {len(found)} annotations.")
    _check_images(content)
    _check_annotations(content, found)
    return Survey(
        path=path,
        pictures=_find_pictures(content, pictures),
        names=names,
        images=len(content.images),
        annotations=len(found),
        empty=sum(image["id"] not in content.by_image for image in content.images),
        masks=sum(bool(item.get("segmentation")) for item in found),
        lvis=_is_lvis(content),
    )


def _check_images(content: Annotations) -> None:
    for image in content.images:
        if missing := [key for key in ("id", "width", "height") if key not in image]:
            raise UserError(
                f"image {image.get('id', image['file_name'])} of {content.path} has no "
                f"{', '.join(missing)}; COCO's format has id, file_name, width and height."
            )
    ids = [image["id"] for image in content.images]
    if len(set(ids)) < len(ids):
        raise UserError(f"image ids occur more than once in {content.path}; expected one an image.")


def _check_annotations(content: Annotations, found: list[dict[str, Any]]) -> None:
    images = {image["id"] for image in content.images}
    categories = {category["id"] for category in content.categories.values()}
    for item in found:
        box = item.get("bbox")
        numbers = isinstance(box, list) and all(isinstance(side, (int, float)) for side in box)
        if not numbers or len(box) != 4:
            problem = f"bbox {box!r}; expected [x, y, width, height] in pixels"
        elif "area" not in item:
            problem = "no area; COCO's format has it (width * height of the box will do)"
        elif item["image_id"] not in images:
            problem = f"image_id {item['image_id']!r}, which is no image of the file"
        elif item.get("category_id") not in categories:
            problem = f"category_id {item.get('category_id')!r}, which is no category of the file"
        else:
            continue
        raise UserError(f"annotation {item.get('id')} of {content.path} has {problem}.")


def _find_pictures(content: Annotations, given: Path | None) -> Path:
    """The folder from which the first file names lead to files."""
    near = content.path.parent
    tried = [given] if given else [near, near / "images", near.parent, near.parent / "images"]
    names = [image["file_name"] for image in content.images[:TRIED]]
    for folder in tried:
        if all((folder / name).is_file() for name in names):
            return folder
    raise UserError(
        f"the pictures of {content.path} (the first: {names[0]}) are not in "
        f"{', '.join(map(str, tried))}. Name the folder that these names are relative to: "
        "--images DIR."
    )


def _is_lvis(content: Annotations) -> bool:
    frequencies = {category.get("frequency") for category in content.categories.values()}
    fields = {"neg_category_ids", "not_exhaustive_category_ids"}
    return frequencies <= {"r", "c", "f"} and all(
        fields <= image.keys() for image in content.images
    )
