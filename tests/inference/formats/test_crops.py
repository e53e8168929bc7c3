"""Crops are the pixels of the boxes, in files that stay in their folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image

from .examples import HEIGHT, WIDTH, detections, image_file


def test_crops_are_the_pixels_of_the_boxes(tmp_path: Path) -> None:
    found = detections()
    for crop, one in zip(found.crops(), found, strict=True):
        x1, y1, x2, y2 = one.box
        inside = found.image[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))]
        np.testing.assert_array_equal(crop, inside)
        np.testing.assert_array_equal(one.crop(), crop)
    read = replace(found, image=None, path=image_file(tmp_path, found))
    np.testing.assert_array_equal(read.crops()[2], found.crops()[2])
    assert detections(0).crops() == []


def test_a_margin_ends_at_the_image() -> None:
    found = replace(detections(1), boxes=np.array([[20, 20, 40, 30]], np.float32))
    assert found[0].crop(margin=0.5).shape == (20, 40, 3)
    assert found[0].crop(margin=9).shape == (HEIGHT, WIDTH, 3)
    for box in ([-9, -9, -5, -5], [500, 500, 600, 600], [5, 5, 5, 5]):
        assert replace(found, boxes=np.array([box], np.float32))[0].crop().shape == (1, 1, 3)


@pytest.mark.parametrize(
    "name", ["../../etc", "a/b", "new\nline", "\udce9", "x" * 400, "..", 'a:b*?"<>|', "猫"]
)
def test_names_that_no_file_should_have(tmp_path: Path, name: str) -> None:
    found = replace(detections(2, path=f"in/{name}.png"), names=(name, name))
    paths = found.save_crops(tmp_path / "crops")
    assert sorted(paths) == sorted((tmp_path / "crops").iterdir()) and len(paths) == 2
    assert [*tmp_path.iterdir()] == [tmp_path / "crops"]
    for path, crop in zip(paths, found.crops(), strict=True):
        np.testing.assert_array_equal(read_image(path), crop)


def test_files_are_named_after_image_and_object(tmp_path: Path) -> None:
    (path,) = detections(1).save_crops(tmp_path)
    assert path.name == "a b_000_red star.png"
    (path,) = detections(1, path=None).save_crops(tmp_path)
    assert path.name == "000_red star.png"


def test_the_image_must_be_known() -> None:
    with pytest.raises(UserError, match="image"):
        replace(detections(path=None), image=None).crops()
