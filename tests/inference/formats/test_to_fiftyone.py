"""FiftyOne gets the same objects, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from .examples import HEIGHT, WIDTH, detections, reduced


def test_boxes_are_relative() -> None:
    pytest.importorskip("fiftyone")
    found = detections(masks=False)
    others = found.to_fiftyone().detections
    boxes = np.array([other.bounding_box for other in others])
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    np.testing.assert_allclose(corners * [WIDTH, HEIGHT, WIDTH, HEIGHT], found.boxes, atol=1e-4)
    assert [other.label for other in others] == list(found.names)
    np.testing.assert_allclose([other.confidence for other in others], found.scores)
    assert detections(0).to_fiftyone().detections == []


@pytest.mark.parametrize("found", [detections(), reduced()], ids=["whole", "reduced"])
def test_masks_fill_their_boxes(found) -> None:
    pytest.importorskip("fiftyone")
    height, width = found.image_size
    for other, one in zip(found.to_fiftyone().detections, found, strict=True):
        x, y, w, h = np.array(other.bounding_box) * [width, height, width, height]
        np.testing.assert_allclose(other.mask.shape, (h, w), atol=1e-6)
        whole = np.zeros((height, width), bool)
        whole[round(y) : round(y + h), round(x) : round(x + w)] = other.mask
        np.testing.assert_array_equal(whole, one.mask)
