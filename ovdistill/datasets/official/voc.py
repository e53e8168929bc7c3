"""Reading PASCAL VOC's annotations as COCO's format has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ovdistill.core.errors import UserError

# VOC's names in label order; those that it writes in one word are queries as they are spoken
VOC_NAMES = {
    name: name
    for name in (
        *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
        *("train", "tvmonitor"),
    )
} | {"diningtable": "dining table", "pottedplant": "potted plant", "tvmonitor": "tv monitor"}


def read_voc(root: Path, image_set: str) -> dict[str, Any]:
    """Read a list of images and their XML files.

    VOC counts pixels from 1 and includes both edges: xmin 1 and xmax 10 are 10 pixels, here
    x 0 and width 10. Objects marked difficult become crowds: as in VOC's own evaluation they are
    no misses, and detections of them no errors. (A crowd is matched by the share of the detection
    that it covers, VOC's difficult objects by IoU.)

    Args:
        root: the folder with ImageSets/Main, Annotations and JPEGImages.
        image_set: name of the list, without .txt.

    Returns:
        images, annotations, categories; ids from 1, images in the order of the list.

    Raises:
        UserError: no such list, a missing or damaged XML file, or a name that is not VOC's.
    """
    listed = root / "ImageSets" / "Main" / f"{image_set}.txt"
    if not listed.is_file():
        raise UserError(
            f"no list {listed}: expected the folder of a year of VOC (VOCdevkit/VOC2007) with "
            "ImageSets/Main, and the name of a list in it (--image-set)."
        )
    categories = [dict(id=number, name=name) for number, name in enumerate(VOC_NAMES.values(), 1)]
    ids = {name: number for number, name in enumerate(VOC_NAMES, 1)}
    images, annotations = [], []
    for image_id, line in enumerate(filter(None, map(str.strip, listed.open())), 1):
        path = root / "Annotations" / f"{line}.xml"
        try:
            tree = ElementTree.parse(path).getroot()
            size = {side: int(tree.findtext(f"size/{side}")) for side in ("width", "height")}
            objects = [_annotation(item, ids) for item in tree.findall("object")]
        except (
            OSError,
            ElementTree.ParseError,
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
        ) as error:
            raise UserError(
                f"{path} is no annotation of VOC ({type(error).__name__}: {error}); unpack VOC's "
                "archive again."
            ) from None
        images.append(dict(id=image_id, file_name=f"{line}.jpg", **size))
        for item in objects:
            annotations.append(dict(id=len(annotations) + 1, image_id=image_id, **item))
    return dict(images=images, annotations=annotations, categories=categories)


def _annotation(item: ElementTree.Element, ids: dict[str, int]) -> dict[str, Any]:
    box = item.find("bndbox")  # not that of a part, which is deeper
    x1, y1, x2, y2 = (float(box.findtext(key)) for key in ("xmin", "ymin", "xmax", "ymax"))
    width, height = x2 - x1 + 1, y2 - y1 + 1
    return dict(
        category_id=ids[item.findtext("name").strip()],
        bbox=[x1 - 1, y1 - 1, width, height],
        area=width * height,
        iscrowd=int(item.findtext("difficult", "0")),
    )
