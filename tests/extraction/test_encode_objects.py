"""True boxes are cut from the original image, by every policy, image by image."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.extraction import encode_objects as module
from ovdistill.extraction.encode_objects import encode_objects
from ovdistill.extraction.images import ImageFile
from ovdistill.teacher import CropPolicy, build_teacher

POLICIES = {"tight": CropPolicy(scales=(1.0,), shape="squash"), "wide": CropPolicy()}


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes"))


@pytest.fixture
def files(tmp_path):
    """Three images of different sizes, and a fourth that is missing."""
    generator = np.random.default_rng(0)
    found = []
    for image_id, (height, width) in {1: (40, 60), 2: (50, 50), 3: (30, 90)}.items():
        path = tmp_path / f"{image_id}.png"
        Image.fromarray(generator.integers(0, 256, (height, width, 3), np.uint8)).save(path)
        found.append(ImageFile(image_id, str(path), (height, width)))
    return [*found, ImageFile(4, str(tmp_path / "none.png"), (9, 9))]


def make_objects(*boxes: list[float]) -> Objects:
    corners = torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    return Objects(corners, torch.arange(len(boxes)))


OBJECTS = {
    1: make_objects([5, 5, 25, 30], [50, 30, 75, 55]),  # the second reaches out of the image
    2: make_objects(),
    3: make_objects([10, 0, 20, 30], [95, 0, 99, 20]),  # the second is outside of the image
    4: make_objects([0, 0, 5, 5]),
}


def test_embeddings_are_those_of_the_boxes(files, teacher, caplog, monkeypatch):
    monkeypatch.setattr(module, "IMAGES_PER_CHUNK", 2)
    with caplog.at_level(logging.WARNING):
        chunks = [
            *encode_objects(files, OBJECTS, teacher, POLICIES, {2, 4}, batch_size=2, workers=0)
        ]
    assert "1 of 4 images" in caplog.text and "none.png" in caplog.text
    assert [chunk.read for chunk in chunks] == [(1, 2), (3,)]
    assert [chunk.image_ids.tolist() for chunk in chunks] == [[1, 1], [3]]
    assert [chunk.objects.labels.tolist() for chunk in chunks] == [[0, 1], [0]]
    # as the file has it for the evaluation, cut off for the crops
    assert chunks[0].objects.boxes[1].tolist() == [50, 30, 75, 55]
    pixels = torch.from_numpy(np.array(Image.open(files[0].path))).permute(2, 0, 1)
    boxes = torch.tensor([[5.0, 5, 25, 30], [50, 30, 60, 40]])
    for name, policy in POLICIES.items():
        expected = teacher.encode_regions(pixels, boxes, policy=policy)
        torch.testing.assert_close(chunks[0].embeddings[name], expected, atol=1e-5, rtol=0)
    assert [chunk.whole_ids for chunk in chunks] == [(2,), ()]
    assert [chunk.whole.shape for chunk in chunks] == [(1, 128), (0, 128)]


def test_images_that_are_not_there(files, teacher):
    with pytest.raises(UserError, match=r"none of the 1 images.*none\.png"):
        [*encode_objects(files[3:], OBJECTS, teacher, POLICIES, workers=0)]


def test_embeddings_that_are_not_finite(files, teacher, monkeypatch):
    monkeypatch.setattr(
        type(teacher), "encode_images", lambda _, images: torch.full((len(images), 128), torch.nan)
    )
    with pytest.raises(UserError, match=r"NaN.*bf16"):
        [*encode_objects(files[:1], OBJECTS, teacher, POLICIES, workers=0)]
