"""Class folders, COCO's captions and COCO's boxes as sources."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, write_image
from ovdistill.teacher_training.data.sources.class_folders import ImageFolders
from ovdistill.teacher_training.data.sources.coco_boxes import CocoBoxes
from ovdistill.teacher_training.data.sources.coco_captions import CocoCaptions

RNG = np.random.default_rng(0)
IMAGES = [dict(id=n, file_name=f"{n}.png", width=20, height=16) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("images")
    for image in IMAGES:
        write_image(root / image["file_name"], np.full((16, 20, 3), image["id"], np.uint8))
    for number, name in enumerate(("cat", "dog", "ox")):
        (root / "classes" / name).mkdir(parents=True)
        write_image(root / "classes" / name / "0.png", np.full((4, 4, 3), number, np.uint8))
    return root


def write(folder: Path, name: str, **content: object) -> Path:
    (folder / name).write_text(json.dumps(content))
    return folder / name


def test_what_is_left_out_is_counted(folder, tmp_path, caplog) -> None:
    shutil.copytree(folder / "classes", tmp_path / "classes")
    (tmp_path / "classes" / "notes.txt").touch()
    (tmp_path / "classes" / "yak").mkdir()
    assert ImageFolders(tmp_path / "classes").class_names == ["cat", "dog", "ox"]
    assert "1 files are no images" in caplog.text and "1 class folders have no" in caplog.text
    captions = [dict(image_id=1, caption="a cat"), dict(image_id=9, caption="a yak")]
    captions += [dict(image_id=2, caption="  ")]
    path = write(tmp_path, "c.json", images=IMAGES, annotations=captions)
    assert CocoCaptions(path, folder).pairs == [("1.png", ["a cat"])]
    assert "2 of 3 images have no caption (1 have empty ones)" in caplog.text
    assert "captions of 1 images that it does not list" in caplog.text


def test_class_folders(folder) -> None:
    source = ImageFolders(folder / "classes", templates=["a {}.", "one {}."])
    pairs = [source.load(2, np.random.default_rng(seed)) for seed in range(20)]
    assert len(source) == 3 and source.class_names == ["cat", "dog", "ox"]
    assert {pair.text for pair in pairs} == {"a ox.", "one ox."}
    assert pairs[0].class_name == "ox" and pairs[0].image.max() == 2


def test_captions(folder, tmp_path) -> None:
    captions = [dict(image_id=1, caption=" a cat "), dict(image_id=1, caption="a tabby")]
    captions += [dict(image_id=3, caption="a dog")]
    path = write(tmp_path, "c.json", images=IMAGES, annotations=captions)
    source = CocoCaptions(path, folder)
    assert len(source) == 2  # image 2 has none
    texts = {source.load(0, np.random.default_rng(seed)).text for seed in range(20)}
    assert texts == {"a cat", "a tabby"}
    assert source.load(1, RNG).image.max() == 3
    with pytest.raises(UserError, match="none of its 1 images"):
        CocoCaptions(write(tmp_path, "d.json", images=IMAGES[1:2], annotations=captions), folder)


def test_boxes_with_their_class_names_as_phrases(folder, tmp_path, caplog) -> None:
    def box(number: int, image: int, category: int, crowd: int = 0) -> dict:
        values = dict(bbox=[1, 2, 5, 6], area=30, iscrowd=crowd)
        return dict(id=number, image_id=image, category_id=category, **values)

    content = dict(
        images=IMAGES,
        annotations=[box(1, 1, 7), box(2, 1, 8), box(3, 1, 7), box(4, 2, 8, crowd=1)],
        categories=[dict(id=7, name="traffic_light"), dict(id=8, name="cat")],
    )
    source = CocoBoxes(write(tmp_path, "b.json", **content), folder)
    pair = source.load(0, RNG)
    assert len(source) == 1 and "boxes" in source.provides
    assert "2 of 3 images have no box" in caplog.text
    content["images"] = [dict(IMAGES[0], width=40), *IMAGES[1:]]
    with pytest.raises(ImageError, match="20 x 16"):
        CocoBoxes(write(tmp_path, "other.json", **content), folder).load(0, RNG)
    assert pair.boxes.tolist() == [[1, 2, 6, 8]] * 3
    assert pair.phrases == ("traffic light", "cat", "traffic light")
    assert sorted(pair.text.split(", ")) == ["cat", "traffic light"]
    captions = [dict(image_id=1, caption=text) for text in ("a street", " ")]
    said = write(tmp_path, "s.json", annotations=captions)
    with_captions = CocoBoxes(tmp_path / "b.json", folder, captions=said)
    assert with_captions.records[0].captions == ["a street"]
    assert with_captions.load(0, RNG).text == "a street"
