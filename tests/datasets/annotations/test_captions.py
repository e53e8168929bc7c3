"""Captions by image, and files of other images."""

import json
import re

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.captions import ImageNames, read_captions
from ovdistill.datasets.annotations.ids import image_number


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ann.json"


@pytest.fixture
def instances(tmp_path):
    image = dict(id=10, file_name="images\\10.png", height=20, width=30)
    path = tmp_path / "instances.json"
    write(path, dict(images=[image], annotations=[], categories=[dict(id=1, name="cat")]))
    return ImageNames.of_file(path)


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_captions_by_image(file, caplog):
    records = [(10, " A person.\n"), (11, "A cat."), (10, "A bus."), (11, " \t"), (12, "")]
    annotations = [dict(image_id=image, caption=caption) for image, caption in records]
    write(file, dict(annotations=annotations))
    assert read_captions(file) == {10: ["A person.", "A bus."], 11: ["A cat."], 12: []}
    assert "2 captions are empty" in caplog.text
    write(file, dict(annotations=[dict(image_id=i, caption="A.") for i in ("10", 10.0, "x")]))
    assert read_captions(file) == {10: ["A.", "A."], image_number("x"): ["A."]}


@pytest.mark.parametrize(
    "record",
    [
        *(3, dict(image_id=1), dict(caption="a"), dict(image_id=True, caption="a")),
        *(dict(image_id=1, caption=None), dict(image_id=1, caption="\ud800")),
    ],
)
def test_captions_that_cannot_be_read(file, record):
    with pytest.raises(UserError, match="ann.json"):
        read_captions(write(file, dict(annotations=[record])))


def test_an_image_of_unknown_id(file, tmp_path):
    own = tmp_path / "instances.json"
    image = dict(id=10, file_name="10.png", height=20, width=30)
    write(own, dict(images=[image], annotations=[], categories=[dict(id=1, name="cat")]))
    write(file, dict(annotations=[], images=[dict(id=None, file_name="a/11.png")]))
    with pytest.raises(UserError, match=r"ann\.json has an image 'a/11\.png' .* got id None"):
        read_captions(file, ImageNames.of_file(own))


@pytest.mark.parametrize("name", ["train/10.png", "COCO_train2014_10.png", "10.jpg"])
def test_captions_of_the_same_images(file, instances, name):
    images = [dict(id=10, file_name=name), dict(id=4), 5]
    captions = dict(annotations=[dict(image_id=10, caption="A cat.")])
    for content in (captions, dict(captions, images=images)):
        assert read_captions(write(file, content), instances) == {10: ["A cat."]}


@pytest.mark.parametrize("name", ["12.png", "110.png"])
def test_captions_are_of_the_images_that_their_ids_name(file, instances, name):
    captions = dict(annotations=[dict(image_id=10, caption="A cat.")])
    write(file, dict(captions, images=[dict(id=10, file_name=name)]))
    said = rf"ann\.json .*of 1 ids .* 1 are .*'{re.escape(name)}' .*'10\.png'"
    with pytest.raises(UserError, match=said):
        read_captions(file, instances)


def test_a_few_other_names_are_said(file, tmp_path, caplog):
    images = [dict(id=n, file_name=f"{n}.png") for n in (1, 2, 3)]
    write(tmp_path / "instances.json", dict(images=images))
    images[0]["file_name"] = "a.png"
    captions = [dict(image_id=1, caption="A cat.")]
    write(file, dict(annotations=captions, images=images))
    assert read_captions(file, ImageNames.of_file(tmp_path / "instances.json")) == {1: ["A cat."]}
    assert "of 3 ids that both have, 1 are of other files" in caplog.text
