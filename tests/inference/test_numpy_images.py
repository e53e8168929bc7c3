"""Pixels and masks in numpy are those of OpenCV and mmdet."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from mmcv.image.geometric import rescale_size

from ovdistill.inference.numpy_images import fitting_size, pad_images, resize
from ovdistill.inference.numpy_masks import paste_masks
from ovdistill.models import paste_masks as detector_masks

RANDOM = np.random.default_rng(0)


def pixels(height: int, width: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((64, 80), (32, 40)),  # OpenCV has a path of its own for halves
        ((33, 47), (128, 91)),
        ((200, 150), (17, 149)),
        ((1, 90), (1, 31)),
        ((5, 1), (128, 26)),
        ((40, 40), (40, 40)),
    ],
)
def test_resizing_gives_the_same_bits(old, new):
    image = pixels(*old)
    np.testing.assert_array_equal(resize(image, new), cv2.resize(image, new[::-1]))


def test_sizes():
    for _ in range(200):
        size, scale = RANDOM.integers(1, 3000, 2).tolist(), RANDOM.integers(1, 1400, 2).tolist()
        width, height = rescale_size(tuple(size[::-1]), tuple(scale))
        assert fitting_size(tuple(size), tuple(scale), keep_ratio=True) == (
            max(1, height),
            max(1, width),
        )
    assert fitting_size((10, 20), (300, 200), keep_ratio=False) == (200, 300)


def test_padding():
    small, large = pixels(5, 9), pixels(17, 3)
    padded = pad_images([small, large], 16)
    assert padded.shape == (2, 32, 16, 3)
    assert (padded[0, :5, :9] == small).all() and (padded[1, :17, :3] == large).all()
    assert int(padded.astype(int).sum()) == int(small.sum()) + int(large.sum())


def test_masks_are_pasted_as_the_detector_pastes_them():
    low = RANDOM.random((40, 2)) * 60
    boxes = np.concatenate([low, low + RANDOM.random((40, 2)) * 40], axis=1).astype(np.float32)
    boxes[0, 2] = boxes[0, 0]  # no width
    boxes[1] = (0, 0, 100, 90)
    masks = RANDOM.random((40, 28, 28)).astype(np.float32)
    pasted = paste_masks(masks, boxes, (90, 100), 0.5)
    logits = torch.from_numpy(masks).logit()
    expected = detector_masks.paste_masks(logits, torch.from_numpy(boxes), (90, 100), 0.5).numpy()
    assert (np.count_nonzero(pasted != expected, axis=(1, 2)) <= 1).all()  # of rounding
    assert not pasted[0].any() and pasted[1].sum() > 1000
    assert paste_masks(masks[:0], boxes[:0], (7, 8), 0.5).shape == (0, 7, 8)
