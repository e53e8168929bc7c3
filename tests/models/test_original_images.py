"""Boxes of a network's input, found again in the image file."""

import numpy as np
import pytest
import torch
from mmdet.registry import TRANSFORMS
from mmengine.dataset import Compose
from PIL import Image

import ovdistill.models.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.models.original_images import OriginalImage, read_original

META = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")


@pytest.fixture
def path(tmp_path):
    """An image of 40 x 24 pixels, none like another."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def meta_of(path, *steps, meta_keys=META):
    """What a test pipeline says of an image file."""
    steps = [
        dict(type="LoadImage"),
        dict(type="OVResize", scale=(128, 128), keep_ratio=True),
        *steps,
        dict(type="PackOVInputs", meta_keys=meta_keys),
    ]
    record = dict(img_id=1, img_path=str(path), height=24, width=40)
    return Compose([TRANSFORMS.build(s) for s in steps])(record)["data_samples"].metainfo


def test_boxes_and_pixels_are_those_of_the_file(path):
    image = read_original(meta_of(path))
    assert np.array_equal(image.pixels.permute(1, 2, 0), np.asarray(Image.open(path)))
    own = torch.tensor([[3.25, 2.0, 17.5, 21.0], [0, 0, 40, 24]])
    seen = own * torch.tensor([128 / 40, 77 / 24] * 2)
    assert torch.allclose(image.boxes_of(seen), own, atol=1e-4)


def test_boxes_are_clipped_and_keep_an_area():
    image = OriginalImage(torch.zeros(3, 10, 20, dtype=torch.uint8), (2.0, 2.0))
    seen = torch.tensor([[-8.0, 4, 60, 30], [50, 30, 60, 40], [-9, -9, -2, -2], [7, 7, 7, 9]])
    expected = torch.tensor([[0.0, 2, 20, 10], [19, 9, 20, 10], [0, 0, 1, 1], [3, 3, 4, 4]])
    assert torch.equal(image.boxes_of(seen), expected)
    assert image.boxes_of(torch.zeros(0, 4)).shape == (0, 4)


def test_padding_is_no_change_of_place(path):
    image = read_original(meta_of(path, dict(type="Pad", size_divisor=32)))
    assert image.pixels.shape == (3, 24, 40)


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (dict(type="RandomFlip", prob=1.0), "flips"),
        (dict(type="RandomCrop", crop_size=(50, 50), crop_type="absolute"), "crops"),
    ],
)
def test_pipelines_that_move_the_image_are_refused(path, step, word):
    with pytest.raises(UserError, match=word):
        read_original(meta_of(path, step))


def test_metadata_that_name_no_file_are_refused(path):
    with pytest.raises(UserError, match="no img_path, scale_factor"):
        read_original(meta_of(path, meta_keys=("img_id", "ori_shape", "img_shape")))


def test_a_file_that_was_exchanged_is_refused(path):
    meta = meta_of(path)
    Image.new("RGB", (24, 40)).save(path)
    with pytest.raises(UserError, match="24 x 40 pixels, but 40 x 24"):
        read_original(meta)
