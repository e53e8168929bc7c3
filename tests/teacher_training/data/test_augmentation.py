"""Random crops: pixels and boxes move together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.data.augmentation import Augmentation

WHOLE = Augmentation(area=(1.0, 1.0), ratio=(1.0, 1.0))


def image_with_square() -> tuple[np.ndarray, np.ndarray]:
    """A black image with a white square, and its box."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[16:32, 32:48] = 255
    return image, np.array([[32, 16, 48, 32]], np.float32)


def test_the_whole_image_is_only_resized() -> None:
    image, boxes = image_with_square()
    pixels, moved, kept = WHOLE.apply(image, boxes, 32, "bilinear", np.random.default_rng(0))
    assert pixels.shape == (3, 32, 32) and pixels.dtype == torch.uint8
    assert kept.tolist() == [0] and moved.tolist() == [[16, 8, 24, 16]]
    assert pixels[:, 9:15, 17:23].min() == 255 and pixels[:, :6].max() == 0


def test_mirrored_boxes() -> None:
    image, boxes = image_with_square()
    rule = Augmentation(area=(1.0, 1.0), ratio=(1.0, 1.0), flip=1.0)
    pixels, moved, _ = rule.apply(image, boxes, 64, "bicubic", np.random.default_rng(0))
    assert moved.tolist() == [[16, 16, 32, 32]]
    assert pixels[:, 18:30, 18:30].min() == 255 and pixels[:, 18:30, 34:].max() == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_crop_shows_a_share_of_the_image_and_what_is_in_its_boxes(seed: int) -> None:
    image, boxes = image_with_square()
    rule = Augmentation(area=(0.3, 0.8), flip=0.5)
    left, top, right, bottom = rule.rectangle(64, 64, np.random.default_rng(seed)).tolist()
    assert 0 <= left < right <= 64 and 0 <= top < bottom <= 64
    assert 0.25 < (right - left) * (bottom - top) / 64**2 < 0.85
    pixels, moved, kept = rule.apply(image, boxes, 64, "bilinear", np.random.default_rng(seed))
    assert len(moved) == len(kept)
    for x1, y1, x2, y2 in moved.round().int().tolist():
        assert pixels[0, y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].float().mean() > 230


def test_boxes_that_are_hardly_seen_are_left_out() -> None:
    class Left(Augmentation):
        def rectangle(self, height, width, rng):
            return torch.tensor([0.0, 0.0, 34.0, 64.0])

    image, boxes = image_with_square()
    _, moved, kept = Left().apply(image, boxes, 32, "bilinear", np.random.default_rng(0))
    assert moved.shape == (0, 4) and kept.tolist() == []


@pytest.mark.parametrize(
    "bad", [dict(area=(0, 1)), dict(area=(0.5, 1.2)), dict(ratio=(2, 1)), dict(flip=1.1)]
)
def test_bad_values(bad: dict) -> None:
    with pytest.raises(UserError, match=next(iter(bad))):
        Augmentation(**bad)
