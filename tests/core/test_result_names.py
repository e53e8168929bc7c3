"""No result replaces another one or leaves its folder, whatever the images are called."""

from __future__ import annotations

import pytest

from ovdistill.core import result_names
from ovdistill.core.result_names import ResultNames, safe_name


def test_ordinary_names_stay_as_they_are() -> None:
    names = ResultNames()
    assert names.name("in/cat 1.jpg") == "cat 1"
    assert names.name("in/猫.v2.png") == "猫.v2"


def test_images_of_one_name_get_names_of_their_own() -> None:
    names = ResultNames()
    images = ["a.png", "a.jpg", "a_jpg.png", "A.webp", "x/a.png", "y/a.png"]
    found = [names.name(image) for image in images]
    assert found[:2] == ["a", "a_jpg"]
    assert len({name.casefold() for name in found}) == len(images)
    assert [names.name(image) for image in images] == found


def test_many_images_of_one_name_take_few_tries_each(monkeypatch) -> None:
    tries: list[str] = []

    def noted(part: str) -> str:
        tries.append(part)
        return safe_name(part)

    monkeypatch.setattr(result_names, "safe_name", noted)
    names = ResultNames(["image_7"])
    found = [names.name(f"{folder}/image.jpg") for folder in range(100)]
    expected = ["image", "image_jpg", *(f"image_{n}" for n in range(4, 103) if n != 7)]
    assert found == expected and len(tries) <= 3 * 100


def test_reserved_names_are_of_no_image() -> None:
    names = ResultNames(["coco"])
    assert [names.name(image) for image in ("COCO.jpg", "a.jpg")] == ["COCO_jpg", "a"]


def test_sub_folders_are_part_of_the_name() -> None:
    names = ResultNames()
    assert names.name("/data/a/1.png", "/data") == "a/1"
    assert names.name("/data/b/1.png", "/data/") == "b/1"
    assert names.name("/data/b/c/1.jpg", "/data") == "b/c/1"
    assert names.name("/elsewhere/1.png", "/data") == "1"
    assert names.name("/data/../etc/1.png", "/data") == "1_png"


@pytest.mark.parametrize(
    "image",
    ["..", "...", "a\nb.png", "a\x1b[31m.png", "\udce9.png", "C:\\x.png", "a" * 300 + ".png"],
)
def test_names_that_no_file_should_have(image: str, tmp_path) -> None:
    name = ResultNames().name(f"in/{image}")
    path = tmp_path / f"{name}.json.01234567.tmp"
    path.write_text("")
    assert list(tmp_path.iterdir()) == [path]
    assert name.isprintable() and name.encode()
