"""Regions as pixels are what the teacher embeds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image, write_image
from ovdistill.ovshapes.scenes import scene
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher_training.adapt import crops as module
from ovdistill.teacher_training.adapt.crops import DecodedImages, RegionCrops


@pytest.fixture(scope="module")
def regions(tmp_path_factory) -> tuple[OpenCLIPTeacher, RegionCrops]:
    folder = tmp_path_factory.mktemp("images")
    files, boxes = [], []
    for seed in range(2):
        drawn = scene(np.random.default_rng(seed))
        path = folder / f"{seed}.png"
        write_image(path, drawn.image)
        files += [str(path)] * len(drawn.objects)
        boxes += [thing.box for thing in drawn.objects]
    teacher = OpenCLIPTeacher("ovshapes")
    return teacher, RegionCrops.of_teacher(files, torch.tensor(np.stack(boxes)), teacher)


def test_crops_are_those_of_encode_regions(regions):
    teacher, crops = regions
    rows = torch.tensor([5, 0, 2])
    found = teacher.embed_crops(crops.cut(rows))
    for embedding, row in zip(found, rows.tolist(), strict=True):
        image = torch.from_numpy(read_image(crops.files[row])).permute(2, 0, 1)
        own = teacher.encode_regions(image, crops.boxes[row][None])
        torch.testing.assert_close(embedding, own[0], atol=1e-5, rtol=1e-4)


def test_a_generator_moves_the_boxes_anew(regions):
    _, crops = regions
    rows = torch.arange(4)
    first, second = (torch.Generator().manual_seed(3) for _ in range(2))
    moved = crops.cut(rows, first)
    assert moved.shape == (8, 3, 64, 64) and moved.dtype == torch.uint8
    assert torch.equal(moved, crops.cut(rows, second))
    assert not torch.equal(moved, crops.cut(rows, first))


def test_rows_are_taken_with_their_files(regions):
    _, crops = regions
    last = crops[torch.tensor([len(crops) - 1])]
    assert len(last) == 1 and list(last.files) == [crops.files[-1]]


def test_an_image_is_decoded_once_while_it_is_kept(regions, monkeypatch):
    _, crops = regions
    read = []
    monkeypatch.setattr(module, "read_image", lambda file: read.append(file) or read_image(file))
    own, rows = replace(crops, images=DecodedImages()), torch.arange(len(crops))
    expected = torch.cat([crops.cut(rows[i : i + 1]) for i in rows.tolist()])
    for _ in range(2):
        assert torch.equal(own.cut(rows), expected)
    assert read == sorted({*crops.files}) and torch.equal(own[rows].cut(rows), expected)
    monkeypatch.setattr(module, "MOST_BYTES", read_image(read[0]).nbytes)
    read.clear()
    small = replace(crops, images=DecodedImages())
    for _ in range(2):  # the first image makes room for the second, in a batch it stays
        assert torch.equal(small.cut(rows), expected)
    assert len(read) == 4


def test_a_missing_image_is_named(regions):
    _, crops = regions
    gone = RegionCrops(["gone.png"], crops.boxes[:1], crops.policy, 64, "bilinear")
    with pytest.raises(UserError, match="gone.png"):
        gone.cut(torch.tensor([0]))
