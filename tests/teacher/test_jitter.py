"""Boxes that are moved a little."""

import torch

from ovdistill.teacher.jitter import jitter_boxes


def test_jitter_stays_within_its_bounds():
    boxes = torch.tensor([[10.0, 10, 30, 50]]).repeat(500, 1)
    moved = jitter_boxes(boxes, torch.Generator().manual_seed(0), exact_share=0.0)
    side = moved[:, 2:] - moved[:, :2]
    shift = ((moved[:, 2:] + moved[:, :2]) / 2 - torch.tensor([20.0, 30.0])).abs()
    assert (side / torch.tensor([20.0, 40.0]) - 1).amin() >= 1 / 1.25 - 1 - 1e-5
    assert (side / torch.tensor([20.0, 40.0])).amax() <= 1.25 + 1e-5
    assert (shift <= 0.12 * torch.tensor([20.0, 40.0]) + 1e-4).all()
    assert torch.equal(jitter_boxes(boxes, torch.Generator(), exact_share=1.0), boxes)
