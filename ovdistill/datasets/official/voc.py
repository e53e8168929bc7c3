"""Reads PASCAL VOC's annotations into COCO's format."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.values import Record

# VOC's names in label order -> class names; "diningtable" would be a poor text for a teacher
VOC_NAMES = {
    name: name
    for name in (
        *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
        *("train", "tvmonitor"),
    )
} | {"diningtable": "dining table", "pottedplant": "potted plant", "tvmonitor": "tv monitor"}

CLASS_LINE = re.compile(
    r"\S+\s+(-1|0|1)"
)  # of a list of one class: an image, and whether it has it


def read_voc(root: Path, image_set: str) -> dict[str, Any]:
    """Read a list of images and their XML files.

    VOC counts pixels from 1 and includes both edges: xmin 1 and xmax 10 are 10 pixels, here
    x 0 and width 10. Objects marked difficult become crowds: as in VOC's own evaluation, missing
    them costs nothing and detecting them is no error. (A crowd is matched by the share of the
    detection that it covers, VOC's difficult objects by IoU.)

    Args:
        root: the folder of a year, with ImageSets/Main, Annotations and JPEGImages.
        image_set: name of the list, without .txt.

    Returns:
        A dict of images, annotations and categories as in COCO's format; ids start at 1, images
        are in the order of the list.

    Raises:
        UserError: no such list, or one of a single class; a missing or damaged XML file, or a name
            that is not VOC's.
    """
    names = _read_list(root, image_set)
    categories = [dict(id=number, name=name) for number, name in enumerate(VOC_NAMES.values(), 1)]
    ids = {name: number for number, name in enumerate(VOC_NAMES, 1)}
    images: list[Record] = []
    annotations: list[Record] = []
    for image_id, name in enumerate(names, 1):
        size, objects = _read_xml(_xml(root, name), ids)
        images.append(dict(id=image_id, file_name=f"{name}.jpg", **size))
        for item in objects:
            annotations.append(dict(id=len(annotations) + 1, image_id=image_id, **item))
    return dict(images=images, annotations=annotations, categories=categories)


def _read_list(root: Path, image_set: str) -> list[str]:
    """Return the names of the images in a list."""
    listed = root / "ImageSets" / "Main" / f"{image_set}.txt"
    if not listed.is_file():
        raise UserError(
            f"no list {listed}: expected the folder of a year of VOC (VOCdevkit/VOC2007) with "
            "ImageSets/Main, and the name of a list in it (--image-set)."
        )
    try:
        lines = map(str.strip, listed.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot read the list {listed} ({error}); expected a name a line, in UTF-8"
        ) from None
    names = [line for line in lines if line]
    if names and all(map(CLASS_LINE.fullmatch, names)) and not _xml(root, names[0]).is_file():
        raise UserError(
            f"{listed} is a list of one class, which says of each image whether it has the class "
            f"(the first: {names[0]!r}); expected a list of images: --image-set train, val, "
            "trainval or test."
        )
    return names


def _xml(root: Path, name: str) -> Path:
    """Return where the annotation of an image is."""
    return root / "Annotations" / f"{name}.xml"


def _read_xml(path: Path, ids: Mapping[str, int]) -> tuple[dict[str, int], list[Record]]:
    """Return the size of an image, and its objects as annotations without ids."""
    try:
        tree = ElementTree.parse(path).getroot()
        size = {side: int(_text(tree, f"size/{side}")) for side in ("width", "height")}
        return size, [_annotation(item, ids) for item in tree.findall("object")]
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise UserError(
            f"{path} is not an annotation of VOC ({type(error).__name__}: {error}); unpack VOC's "
            "archive again."
        ) from None


def _annotation(item: ElementTree.Element, ids: Mapping[str, int]) -> Record:
    # the box of the object itself: that of one of its parts is deeper in the tree
    x1, y1, x2, y2 = (
        float(_text(item, f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")
    )
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        raise ValueError("a bndbox that is not finite")
    width, height = x2 - x1 + 1, y2 - y1 + 1
    return dict(
        category_id=ids[_text(item, "name").strip()],
        bbox=[x1 - 1, y1 - 1, width, height],
        area=width * height,
        iscrowd=int(item.findtext("difficult", "0")),
    )


def _text(element: ElementTree.Element, path: str) -> str:
    """Return the text at a path below an element; raise LookupError if there is none."""
    text = element.findtext(path)
    if text is None:
        raise LookupError(f"no {path}")
    return text
