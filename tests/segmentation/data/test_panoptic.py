"""COCO's panoptic format."""

import json

import numpy as np
import pytest
from mmdet.registry import DATASETS

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.datasets.names import find_names
from ovdistill.datasets.names.label_table import load_label_table
from ovdistill.models.config import load_config
from ovdistill.segmentation.data.label_map import CROWD, IGNORE
from ovdistill.segmentation.data.panoptic_file import read_panoptic

from ..label_files import vocabulary_of, write_image

IDS = np.array([[300, 300, 70_000], [0, 5, 70_000]])


def content() -> dict:
    segments = [
        dict(id=300, category_id=1, iscrowd=0),
        dict(id=70_000, category_id=200, iscrowd=0),
        dict(id=5, category_id=1, iscrowd=1),
    ]
    return dict(
        images=[dict(id=8, file_name="a.png", height=2, width=3)],
        annotations=[dict(image_id=8, file_name="a.png", segments_info=segments)],
        categories=[dict(id=1, name="cat"), dict(id=200, name="sky-other-merged")],
    )


def build(root, data):
    (root / "panoptic.json").write_text(json.dumps(data))
    return DATASETS.build(
        dict(
            type="PanopticDataset",
            vocabulary=vocabulary_of(["sky", "cat"]),
            data_root=str(root),
            serialize_data=False,  # mmengine collects garbage for it
            ann_file="panoptic.json",
            data_prefix=dict(img_path="images", seg_map_path="maps"),
            test_mode=True,
            pipeline=[
                dict(type="LoadImage"),
                dict(type="LoadLabelMap", with_segments=True),
                dict(type="PackSegmentationInputs"),
            ],
        )
    )


def test_pixels_of_segments_that_the_file_lacks_are_an_error(root):
    data = content()
    del data["annotations"][0]["segments_info"][1]
    with pytest.raises(UserError, match=r"a\.png has 1 segments.*70000 \(2 pixels\)"):
        build(root, data)[0]


def test_the_names_that_ship_are_spellings_of_cocos(tmp_path):
    """The last name of a group is COCO's; the first is what the teacher is given."""
    table = load_label_table("coco-panoptic")
    categories = [dict(id=k, name=names[-1]) for k, names in table.names.items() if names]
    (tmp_path / "p.json").write_text(
        json.dumps(dict(images=[], annotations=[], categories=categories))
    )
    texts = find_names("coco-panoptic").names
    assert not any("-" in text or "merged" in text for text in texts)
    rows = read_panoptic(tmp_path / "p.json").table.rows(texts)
    assert rows == table.rows(texts) and sorted(rows.values()) == [*range(133)]


def test_the_recipe_embeds_these_names_and_knows_its_stuff():
    config = load_config("maskword_r50_coco")
    names = find_names(config.prepare.vocabulary.names).names
    assert set(config.model.stuff) == set(names[80:]) and len(config.model.stuff) == 53


@pytest.fixture
def root(tmp_path):
    write_image(tmp_path / "images/a.png", np.zeros((2, 3, 3), np.uint8))
    pixels = np.stack([IDS % 256, IDS // 256 % 256, IDS // 65536], -1).astype(np.uint8)
    write_image(tmp_path / "maps/a.png", pixels)
    return tmp_path


def test_segments_have_rows_and_numbers(root):
    sample = build(root, content())[0]["data_samples"]
    assert sample.img_id == 8
    truth = sample.gt_panoptic_seg
    assert truth.sem_seg[0].tolist() == [[1, 1, 0], [IGNORE, 1, 0]]
    first, second = truth.segments[0, 0, 0].item(), truth.segments[0, 0, 2].item()
    assert first != second
    assert truth.segments[0].tolist() == [[first, first, second], [0, CROWD, second]]


def of(*places):
    """Return the part of the content that these keys lead to."""
    data = part = content()
    for place in places:
        part = part[place]
    return data, part


FIRST = ("annotations", 0, "segments_info", 0)


@pytest.mark.parametrize(
    "places, key, value",
    [
        (FIRST, "category_id", 7),
        (FIRST, "category_id", [1]),
        (FIRST, "id", 0),
        (FIRST, "id", None),
        (FIRST[:2], "segments_info", "none"),
        (FIRST[:2], "image_id", 9),
        (FIRST[:2], "file_name", "../a.png"),
        (("images", 0), "file_name", "/etc/a.png"),
        (("categories", 0), "id", 1 << 40),
        (("categories", 0), "id", 200),
        (("categories", 0), "name", 5),
    ],
)
def test_files_that_cannot_be_used(root, places, key, value):
    data, part = of(*places)
    part[key] = value
    with pytest.raises(UserError, match="panoptic.json"):
        build(root, data)


@pytest.mark.parametrize(
    "places, key",
    [(FIRST, "id"), (FIRST, "category_id"), (FIRST[:2], "image_id"), (("categories", 0), "name")],
)
def test_keys_that_are_missing(root, places, key):
    data, part = of(*places)
    del part[key]
    with pytest.raises(UserError, match=key):
        build(root, data)
