"""Regions of objects, whatever their class, found by the shipped detector."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.inference import network
from ovdistill.inference.asked import ask
from ovdistill.inference.detector import Detector
from ovdistill.inference.engine import Engine
from ovdistill.inference.large_images import reduce_image
from ovdistill.inference.search.find_regions import find_regions
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

from ...stand_in import TextsByLength

TEXT = "red striped heart, green star, outlined cross, solid circle, ring"  # heart is novel


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.from_pretrained("ovshapes", device="cpu")


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return read_image(SAMPLE_IMAGE)


def test_every_object_has_a_region(detector, image) -> None:
    found = detector.predict(image, TEXT)
    (regions,) = find_regions(detector, [image], 20)
    assert len(found) >= 3
    overlaps = box_iou(torch.as_tensor(found.boxes), regions.boxes)
    assert (overlaps.amax(dim=1) > 0.6).all()
    best = regions.objectness[overlaps.argmax(dim=1)]
    assert (best > 0.5).all()


def test_the_best_come_first_and_the_number_is_kept(detector, image) -> None:
    (many,) = find_regions(detector, [image], 20)
    (few,) = find_regions(detector, [image], 3)
    assert (many.objectness.diff() <= 0).all() and len(few) == 3
    torch.testing.assert_close(few.boxes, many.boxes[:3])
    norms = many.embeddings.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))


def test_a_batch_gives_what_single_images_give(detector, image) -> None:
    turned = np.ascontiguousarray(image[:, ::-1])
    together = find_regions(detector, [image, turned], 5)
    for one, own in zip(together, (image, turned), strict=True):
        (alone,) = find_regions(detector, [own], 5)
        torch.testing.assert_close(one.boxes, alone.boxes, atol=0.01, rtol=0)


def test_a_region_is_made_of_a_box(detector, image) -> None:
    (regions,) = find_regions(detector, [image], 1)
    rough = regions.boxes + torch.tensor([[-2.0, 2.0, 2.0, -2.0]])
    (again,) = find_regions(detector, [image], 1, [rough])
    assert box_iou(again.boxes, regions.boxes) > 0.8
    assert (again.embeddings * regions.embeddings).sum() > 0.9


def test_boxes_of_a_reduced_image_are_in_its_own_pixels(detector, image, monkeypatch) -> None:
    large = image.repeat(2, axis=0).repeat(2, axis=1)
    (expected,) = find_regions(detector, [image], 1)
    pixels = image.shape[0] * image.shape[1]
    monkeypatch.setattr(network, "reduce_image", lambda image: reduce_image(image, pixels))
    (found,) = find_regions(detector, [large], 1)
    torch.testing.assert_close(found.boxes, 2 * expected.boxes, atol=1.0, rtol=0)
    (again,) = find_regions(detector, [large], 1, [found.boxes])
    assert box_iou(again.boxes, found.boxes) > 0.9


def test_a_one_stage_detector_keeps_no_regions(image) -> None:
    asked = ask(Vocabulary.encode(["star"], TextsByLength(), ("{}",)), None, list, None)
    config = load_config("hierkd_atss_r18_shapes")
    one_stage = Engine(config, None, torch.device("cpu"), asked)
    with pytest.raises(UserError, match="one-stage"):
        one_stage.find_regions([image], 5)
