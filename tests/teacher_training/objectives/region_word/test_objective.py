"""The embeddings of boxes."""

from __future__ import annotations

import torch

from ovdistill.teacher_training.objectives.region_word.objective import pool_regions


def test_a_box_has_the_mean_of_its_features() -> None:
    # a feature that grows by 1 from cell to cell, of 8 pixels, has at a box's centre its mean
    ramp = torch.arange(8.0).expand(8, 8)
    dense = torch.stack([ramp, ramp.T])[None].repeat(2, 1, 1, 1)
    dense[1] += 100
    boxes = torch.tensor([[8.0, 16.0, 24.0, 48.0], [20.0, 20.0, 28.0, 28.0]])
    found = pool_regions(dense, boxes, torch.tensor([1, 0]), size=64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / 8 - 0.5  # cells; pixel centres at .5
    torch.testing.assert_close(found, centres + torch.tensor([[100.0], [0.0]]))


def test_bfloat16_features() -> None:
    dense = torch.ones(1, 4, 2, 2, dtype=torch.bfloat16, requires_grad=True)
    found = pool_regions(dense, torch.tensor([[0.0, 0, 64, 64]]), torch.tensor([0]), size=64)
    found.sum().backward()
    assert found.dtype == torch.float32 and dense.grad.sum().item() == 4


def test_no_boxes() -> None:
    dense = torch.ones(1, 4, 2, 2, requires_grad=True)
    none = torch.zeros(0, 4)
    found = pool_regions(dense, none, torch.zeros(0, dtype=torch.long), size=64)
    found.sum().backward()
    assert found.shape == (0, 4) and not dense.grad.any()
