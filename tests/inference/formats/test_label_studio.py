"""Label Studio's boxes are percentages, its masks are read back bit by bit."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.formats.brush_rle import brush_rle

from .examples import HEIGHT, WIDTH, detections, reduced


def decode(data: bytes) -> np.ndarray:
    """Return the values, by the description of rle-pack."""
    bits = "".join(f"{byte:08b}" for byte in data)
    at = 0

    def read(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    values = np.zeros(read(32), np.uint8)
    word, sizes = read(5) + 1, [read(4) + 1 for _ in range(4)]
    filled = 0
    while filled < len(values):
        same = read(1)
        length = read(sizes[read(2)]) + 1
        for i in range(1 if same else length):
            values[filled + i : filled + (length if same else i + 1)] = read(word)
        filled += length
    return values


def results(task: dict) -> list[dict]:
    assert json.loads(json.dumps(task)) == task
    return task["predictions"][0]["result"]


def test_boxes_are_in_percent() -> None:
    found = detections()
    for result, one in zip(results(found.to_label_studio()), found, strict=True):
        value = result["value"]
        corners = [
            value["x"],
            value["y"],
            value["x"] + value["width"],
            value["y"] + value["height"],
        ]
        edges = np.array(corners) / 100 * [WIDTH, HEIGHT, WIDTH, HEIGHT]
        np.testing.assert_allclose(edges, one.box, atol=1e-3)
        assert value["rectanglelabels"] == [one.name] and result["type"] == "rectanglelabels"
        assert (result["original_width"], result["original_height"]) == (WIDTH, HEIGHT)
    assert len({result["id"] for result in results(found.to_label_studio())}) == 4


@pytest.mark.parametrize("found", [detections(), reduced()], ids=["whole", "reduced"])
def test_masks_are_read_back(found) -> None:
    for result, one in zip(results(found.to_label_studio(masks=True)), found, strict=True):
        image = decode(bytes(result["value"]["rle"])).reshape(*found.image_size, 4)
        np.testing.assert_array_equal(image[..., 3] == 255, one.mask)
        assert set(np.unique(image)) <= {0, 255}
        assert result["value"]["brushlabels"] == [one.name]


def test_long_runs_and_extreme_masks() -> None:
    for mask in (np.zeros((300, 300), bool), np.ones((1, 1), bool), np.eye(129, dtype=bool)):
        values = decode(brush_rle(mask)).reshape(*mask.shape, 4)
        np.testing.assert_array_equal(values[..., 0] == 255, mask)


def test_no_detections_and_what_a_task_needs() -> None:
    assert results(detections(0).to_label_studio("s3://bucket/a.jpg")) == []
    assert detections().to_label_studio("/data/a.jpg")["data"] == {"image": "/data/a.jpg"}
    assert detections().to_label_studio()["data"] == {"image": "photos/a b.jpg"}
    with pytest.raises(UserError, match="image_url"):
        detections(path=None).to_label_studio()
    with pytest.raises(UserError, match="masks"):
        detections(masks=False).to_label_studio(masks=True)
    with pytest.raises(UserError, match="size"):
        replace(detections(masks=False), size=None, image=None).to_label_studio()
