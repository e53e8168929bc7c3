"""Masks of images and the error of their pixels."""

from __future__ import annotations

import pytest
import torch

from ovdistill.teacher_training.objectives.masked_image.loss import draw_mask, masked_pixel_loss


def test_each_image_has_the_same_number_of_hidden_squares() -> None:
    mask = draw_mask(torch.zeros(50, 3, 8, 8), square=4, ratio=0.6)
    assert mask.shape == (50, 1, 8, 8)
    squares = mask.unflatten(3, (2, 4)).unflatten(2, (2, 4))
    shares = squares.float().mean(dim=(1, 3, 5))
    assert set(shares.unique().tolist()) == {0, 1}  # a square is hidden or not
    assert (shares.sum(dim=(1, 2)) == 3).all()  # 2.4 of 4, rounded up
    assert (shares.sum(dim=0) > 25).all()  # and every place gets its turn: 37.5 of 50


def test_squares_at_the_border_are_cut() -> None:
    mask = draw_mask(torch.zeros(1, 3, 6, 6), square=4, ratio=1.0)
    assert mask.shape == (1, 1, 6, 6) and mask.all()


def test_masks_follow_torchs_seed() -> None:
    images = torch.zeros(4, 3, 8, 8)
    masks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        masks.append(draw_mask(images, 2, 0.5))
    assert masks[0].equal(masks[1]) and not masks[0].equal(masks[2])


def test_only_hidden_pixels_count() -> None:
    images = torch.tensor([1.0, -2.0, 3.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    mask = torch.zeros(1, 1, 2, 2, dtype=torch.bool)
    predicted = torch.zeros(1, 3, 2, 2, requires_grad=True)
    mask[..., 0, 1] = True
    loss = masked_pixel_loss(predicted, images, mask)
    loss.backward()
    assert loss.item() == pytest.approx(2.0)  # (1 + 2 + 3) / 3
    assert (predicted.grad != 0).sum() == 3 and (predicted.grad[..., 0, 1] != 0).all()


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_hidden_keeps_the_graph(count: int) -> None:
    predicted = torch.ones(count, 3, 2, 2, requires_grad=True)
    mask = torch.zeros(count, 1, 2, 2, dtype=torch.bool)
    loss = masked_pixel_loss(predicted, torch.zeros(count, 3, 2, 2), mask)
    loss.backward()
    assert loss.item() == 0 and predicted.grad.abs().sum() == 0
