"""COCO's panoptic format."""

import json

import numpy as np
import pytest
from mmdet.registry import DATASETS

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.label_map import CROWD, IGNORE

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


@pytest.mark.parametrize("key, value", [("category_id", 7), ("id", None)])
def test_segments_that_cannot_be_used(root, key, value):
    data = content()
    segment = data["annotations"][0]["segments_info"][0]
    segment[key] = value
    if value is None:
        del segment[key]
    with pytest.raises(UserError):
        build(root, data)


def test_a_map_of_an_image_that_is_not_listed(root):
    data = content() | dict(images=[dict(id=9, file_name="b.png", height=2, width=3)])
    with pytest.raises(UserError, match="8"):
        build(root, data)
