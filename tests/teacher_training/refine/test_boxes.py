"""Boxes without labels: grids that cover an image, and boxes of any place."""

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.refine.boxes import RANDOM_BOXES, draw_boxes


def test_a_grid_covers_the_image_without_overlap():
    counts = set()
    for seed in range(30):
        boxes = draw_boxes(np.random.default_rng(seed), (60, 90), "grid")
        sides = boxes[:, 2:] - boxes[:, :2]
        torch.testing.assert_close(sides.prod(1).sum(), torch.tensor(60.0 * 90))
        assert boxes.amin(0)[:2].tolist() == [0, 0] and boxes.amax(0)[2:].tolist() == [90, 60]
        assert (sides - sides[0]).abs().max() < 1e-3  # all alike
        assert len({(x, y) for x, y, _, _ in boxes.tolist()}) == len(boxes)
        counts.add((round(60 / float(sides[0, 1])), round(90 / float(sides[0, 0]))))
    assert {rows for rows, _ in counts} == {columns for _, columns in counts} == {*range(1, 7)}


def test_random_boxes_lie_in_the_image():
    boxes = draw_boxes(np.random.default_rng(0), (60, 90), "random")
    assert boxes.shape == (RANDOM_BOXES, 4) and boxes.dtype == torch.float32
    assert boxes.min() >= 0 and boxes.amax(0)[2] <= 90 and boxes.amax(0)[3] <= 60
    sides = (boxes[:, 2:] - boxes[:, :2]) / torch.tensor([90.0, 60.0])
    assert sides.min() >= 1 / 8 - 1e-4 and sides.max() <= 1
    assert torch.equal(boxes, draw_boxes(np.random.default_rng(0), (60, 90), "random"))


def test_another_kind():
    with pytest.raises(UserError, match="'cells'"):
        draw_boxes(np.random.default_rng(0), (60, 90), "cells")
