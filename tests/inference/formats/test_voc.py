"""VOC's annotations are read back, whatever the names are."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from ovdistill.core.errors import UserError

from .examples import QUERIES, detections


def boxes(root: ElementTree.Element) -> np.ndarray:
    """(n, 4) xyxy of the edges, as ``datasets.official.voc`` reads them."""
    sides = [[int(side.text) for side in box] for box in root.iterfind("object/bndbox")]
    return np.array(sides).reshape(-1, 4) - [1, 1, 0, 0]


def test_boxes_names_and_size_are_read_back() -> None:
    found = detections()
    root = ElementTree.fromstring(found.to_voc())
    assert [item.findtext("name") for item in root.iterfind("object")] == list(found.names)
    assert QUERIES[1] in found.names  # < > & " and a line break
    assert np.abs(boxes(root) - found.boxes).max() <= 0.5
    assert [root.findtext(f"size/{side}") for side in ("height", "width", "depth")] == [
        *("90", "130", "3"),
    ]
    assert root.findtext("filename") == "a b.jpg" and root.findtext("folder") == "photos"


def test_no_detections_and_boxes_beyond_the_image() -> None:
    root = ElementTree.fromstring(detections(0, path=None).to_voc())
    assert root.find("object") is None and root.findtext("size/width") == "130"
    edges = np.array([[-5, -5, 500, 500], [129.9, 89.9, 129.95, 89.95]], np.float32)
    root = ElementTree.fromstring(replace(detections(2), boxes=edges).to_voc())
    assert boxes(root).tolist() == [[0, 0, 130, 90], [129, 89, 130, 90]]


@pytest.mark.parametrize("name", ["\x1b[31m", "nul\0", "\udce9", "\ufffe", "]]>", "a\rb"])
def test_characters_that_xml_does_not_have(name: str) -> None:
    found = replace(detections(1, path=f"photos/{name}.jpg"), names=(name,))
    root = ElementTree.fromstring(found.to_voc().encode())
    kept = "".join(c for c in name if c.isascii() and c.isprintable())
    assert set(kept) <= set(root.findtext("object/name"))


def test_the_size_must_be_known() -> None:
    with pytest.raises(UserError, match="size"):
        replace(detections(masks=False), size=None, image=None).to_voc()
