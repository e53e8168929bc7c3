"""YOLO's labels, drawn as ultralytics draws them, are the masks again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from ovdistill.core.errors import UserError
from ovdistill.datasets.names import read_names
from ovdistill.inference.formats import write_yolo
from ovdistill.inference.formats.outlines import mask_outline
from ovdistill.inference.formats.yolo import data_yaml

from .examples import HEIGHT, QUERIES, WIDTH, detections, iou, reduced


def parsed(text: str) -> list[tuple[int, np.ndarray]]:
    rows = [line.split() for line in text.splitlines()]
    return [(int(row[0]), np.array(row[1:], float).reshape(-1, 2)) for row in rows]


def filled(points: np.ndarray, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Fill a polygon of whole pixels."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [(points * (width, height)).astype(np.int32)], 1)
    return mask.astype(bool)


def test_boxes_are_relative_to_the_image() -> None:
    found = detections()
    rows = parsed(found.to_yolo())
    assert [number for number, _ in rows] == [0, 1, 2, 0]
    middles, sides = np.array([points for _, points in rows]).swapaxes(0, 1) * (WIDTH, HEIGHT)
    np.testing.assert_allclose(middles - sides / 2, found.boxes[:, :2], atol=1e-3)
    np.testing.assert_allclose(middles + sides / 2, found.boxes[:, 2:], atol=1e-3)
    assert parsed(found.to_yolo({name: 7 for name in QUERIES}))[2][0] == 7
    assert detections(0).to_yolo() == ""


def test_boxes_beyond_the_image_are_cut_off() -> None:
    beyond = replace(detections(1), boxes=np.array([[-10, 10, 65, 200]], np.float32))
    ((_, (middle, sides)),) = parsed(beyond.to_yolo())
    np.testing.assert_allclose((*middle, *sides), (0.25, 50 / 90, 0.5, 80 / 90), atol=1e-6)


def test_outlines_fill_to_the_masks() -> None:
    found = detections()
    for (_, points), mask in zip(parsed(found.to_yolo(masks=True)), found.masks, strict=True):
        assert points.min() > 0 and points.max() < 1
        assert iou(filled(points), mask) > 0.97  # the line between two parts is drawn


def test_outlines_of_a_reduced_image_are_those_of_the_whole_one() -> None:
    found = reduced()
    for (_, points), one in zip(parsed(found.to_yolo(masks=True)), found, strict=True):
        assert iou(filled(points, 3 * HEIGHT, 3 * WIDTH), one.mask) > 0.97


@pytest.mark.parametrize("seed", range(5))
def test_ragged_masks_with_holes_and_islands(seed: int) -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(60, 80)), (0, 0), 4)
    mask = noise > 0
    assert iou(filled(mask_outline(mask) / (80, 60), 60, 80), mask) > 0.95


def test_a_single_pixel_and_nothing() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    assert mask_outline(mask).shape == (0, 2)
    mask[7, 9] = True
    assert mask_outline(mask).tolist() == [[9.5, 7.5]] * 3
    empty = replace(detections(1), masks=np.zeros((1, HEIGHT, WIDTH), bool))
    ((_, corners),) = parsed(empty.to_yolo(masks=True))
    x1, y1, x2, y2 = empty[0].box
    np.testing.assert_allclose(corners[[0, 2]] * (WIDTH, HEIGHT), [(x1, y1), (x2, y2)], atol=1e-3)


def test_a_data_set_has_labels_beside_images_and_names(tmp_path: Path) -> None:
    nothing = replace(detections(0), path="photos/day 1/a b.jpg")
    other = replace(detections(1), queries=("heart",), labels=np.array([0]), names=("heart",))
    other = replace(other, path="photos/c.tar.jpg")
    write_yolo(tmp_path, [nothing, detections(), other], image_folder="photos")
    assert (tmp_path / "labels/day 1/a b.txt").read_text() == ""
    assert (tmp_path / "labels/a b.txt").read_text() == detections().to_yolo()
    assert (tmp_path / "labels/c.tar.txt").read_text().startswith("3 ")
    content = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert list(content["names"].values()) == [*QUERIES, "heart"]


def test_the_folder_of_a_data_yaml_is_that_of_its_data_set() -> None:
    """Ultralytics takes a relative path from the current folder."""
    content = yaml.safe_load(data_yaml({"ring": 0}))
    assert content == {"train": "images", "val": "images", "names": {0: "ring"}}


def test_names_are_read_back_from_data_yaml(tmp_path: Path) -> None:
    names = ["yes", "12", "a: b #c", "猫", "e\u0301 \U0001f600"]
    (tmp_path / "data.yaml").write_text(data_yaml({name: i for i, name in enumerate(names)}))
    assert list(read_names(tmp_path / "data.yaml").names) == names
    odd = {"\udce9 \x1b": 0}
    assert yaml.safe_load(data_yaml(odd).encode())["names"]


def test_what_labels_need(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="masks"):
        detections(masks=False).to_yolo(masks=True)
    with pytest.raises(UserError, match="size"):
        replace(detections(masks=False), size=None, image=None).to_yolo()
    same = replace(detections(), path="photos/a b.png")
    with pytest.raises(UserError, match="a b.txt"):
        write_yolo(tmp_path, [detections(), same])
    with pytest.raises(UserError, match="elsewhere"):
        write_yolo(tmp_path, [detections()], image_folder="elsewhere")
    with pytest.raises(UserError, match="path"):
        write_yolo(tmp_path, [detections(path=None)])
