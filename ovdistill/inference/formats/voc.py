"""Detections as a PASCAL VOC annotation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from ovdistill.inference.formats.parts import size_of

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections

# XML has no form for other characters, not even an escape
NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def voc_xml(detections: Detections) -> str:
    r"""Return the detections in one image as an XML text.

    VOC counts pixels from 1 and includes both edges: x1 0.2 and x2 10.1 are xmin 1 and xmax 10.
    Characters that XML cannot hold become escapes such as ``\x1b``. Scores are left out.

    Raises:
        UserError: the size of the image is unknown.
    """
    height, width = size_of(detections)
    root = ElementTree.Element("annotation")
    path = Path(detections.path or "")
    _add(root, "folder", path.parent.name)
    _add(root, "filename", path.name)
    size = ElementTree.SubElement(root, "size")
    for name, value in (("width", width), ("height", height), ("depth", 3)):
        _add(size, name, str(value))
    _add(root, "segmented", "0")
    boxes = _whole_pixels(detections.boxes, height, width)
    for name, box in zip(detections.names, boxes.tolist(), strict=True):
        _add_object(root, name, box)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _add_object(root: ElementTree.Element, name: str, box: list[int]) -> None:
    item = ElementTree.SubElement(root, "object")
    for tag, text in (("name", name), ("pose", "Unspecified"), ("truncated", "0")):
        _add(item, tag, text)
    _add(item, "difficult", "0")
    edges = ElementTree.SubElement(item, "bndbox")
    for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
        _add(edges, tag, str(value))


def _whole_pixels(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (n, 4) int: the first and last pixels of boxes, counted from 1, in the image."""
    edges = boxes.round().astype(int).reshape(-1, 2, 2)
    first = (edges[:, 0] + 1).clip(1, (width, height))
    last = edges[:, 1].clip(first, (width, height))
    return np.concatenate([first, last], axis=1)


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    escaped = NOT_IN_XML.sub(lambda found: ascii(found[0])[1:-1], text)
    ElementTree.SubElement(parent, tag).text = escaped
