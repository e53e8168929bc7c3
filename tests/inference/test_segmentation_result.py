"""What a label map says of itself, and its files."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from ovdistill import SegmentationResult
from ovdistill.core.errors import UserError
from ovdistill.inference.label_png import label_image
from ovdistill.inference.segmentation_result import resize_labels
from ovdistill.segmentation.data.label_map import read_label_map
from ovdistill.visualization.palette import class_colour

NAMES = ("sky", "road", "star", "ring")
LABELS = np.array([[1, 1, 1, -1], [1, 1, 0, 2]], dtype=np.int32)


@pytest.fixture
def result() -> SegmentationResult:
    image = np.full((2, 4, 3), 100, np.uint8)
    return SegmentationResult(LABELS, NAMES, np.ones((2, 4), np.float32), image, "a.png")


def test_shares(result):
    assert result.shares == {"sky": 0.125, "road": 0.625, "star": 0.125, "ring": 0.0}
    assert result.found == ("road", "sky", "star")
    assert repr(result) == "label map: road 62 %, sky 12 %, star 12 %"
    assert result.mask("road").sum() == 5 and not result.mask("ring").any()
    with pytest.raises(UserError, match="'tree'"):
        result.mask("tree")


def test_a_png_file_has_labels_as_values_and_the_colours_of_drawings(result, tmp_path):
    path = result.save_label_map(tmp_path / "map.png")
    values = read_label_map(path, (2, 4))
    np.testing.assert_array_equal(values, np.where(LABELS < 0, 255, LABELS))
    shown = np.asarray(Image.open(path).convert("RGB"))
    assert tuple(shown[0, 0]) == class_colour(1) and tuple(shown[0, 3]) == (0, 0, 0)
    assert path.read_bytes() == result.to_png()
    assert Image.open(io.BytesIO(result.to_png())).mode == "P"
    with pytest.raises(UserError, match=r"map\.jpg"):
        result.save_label_map(tmp_path / "map.jpg")


def test_many_names_take_16_bits(tmp_path):
    labels = np.array([[-1, 255, 1202]])
    label_image(labels, 1203).save(tmp_path / "wide.png")
    assert read_label_map(tmp_path / "wide.png").tolist() == [[65535, 255, 1202]]
    with pytest.raises(UserError, match="70000"):
        label_image(labels, 70000)


def test_a_drawing_and_records(result, tmp_path):
    assert result.draw().shape[1] == 640
    assert Image.open(result.save(tmp_path / "a.jpg")).width == 640
    assert result._repr_png_()[:4] == b"\x89PNG"
    record = json.loads(result.save(tmp_path / "a.json").read_text())
    assert (record["height"], record["width"], record["image"]) == (2, 4, "a.png")
    assert record["names"][1] == {"label": 1, "name": "road", "share": 0.625}
    with pytest.raises(UserError, match=r"a\.gif"):
        result.save(tmp_path / "a.gif")


def test_a_drawing_needs_the_image(result, tmp_path):
    lone = SegmentationResult(LABELS, NAMES, result.confidence)
    assert lone._repr_png_() is None
    with pytest.raises(UserError, match="unknown"):
        lone.draw()
    Image.fromarray(result.image).save(tmp_path / "a.png")
    of_file = SegmentationResult(LABELS, NAMES, result.confidence, path=str(tmp_path / "a.png"))
    np.testing.assert_array_equal(of_file.draw(), result.draw())


def test_a_label_map_of_another_size_has_the_same_labels_in_the_same_places():
    large = resize_labels(LABELS, (4, 8))
    np.testing.assert_array_equal(large, LABELS.repeat(2, axis=0).repeat(2, axis=1))
    np.testing.assert_array_equal(resize_labels(large, (2, 4)), LABELS)
