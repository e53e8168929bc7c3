"""Hidden squares of images, and the head that predicts them."""

from __future__ import annotations

import pytest
import torch

from ovdistill.teacher_training.objectives.masked_image.pixels import MaskedPixels


def test_hidden_pixels_have_the_learned_colour() -> None:
    pixels = MaskedPixels(4, image_size=8, stride=4, square=None, ratio=0.5)
    with torch.no_grad():
        pixels.colour.copy_(torch.tensor([1.0, 2.0, 3.0]))
    images = torch.zeros(2, 3, 8, 8)
    hidden, mask = pixels.hide(images)
    assert mask.sum() == 2 * 32  # two squares of the tower's stride in each image
    assert hidden[:, 1][mask[:, 0]].unique().tolist() == [2.0]
    assert not hidden.masked_fill(mask, 0).any()


def test_a_position_predicts_the_pixels_of_its_own_square() -> None:
    pixels = MaskedPixels(1, image_size=4, stride=2, square=2, ratio=1.0)
    with torch.no_grad():
        pixels.head.weight.fill_(1)
        pixels.head.bias.zero_()
    feature_map = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    images = feature_map.expand(1, 3, 2, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    mask = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    assert pixels.loss(feature_map, images, mask).item() == pytest.approx(0)
    assert pixels.loss(feature_map, images + 1, mask).item() == pytest.approx(1)


def test_a_border_that_no_patch_covers_does_not_count() -> None:
    pixels = MaskedPixels(1, image_size=5, stride=2, square=1, ratio=1.0)
    images = torch.zeros(1, 3, 5, 5)
    mask = torch.zeros(1, 1, 5, 5, dtype=torch.bool)
    mask[..., 4] = True
    assert pixels.loss(torch.ones(1, 1, 2, 2), images, mask).item() == 0


def test_positions_of_a_padded_input_predict_what_is_left_of_their_squares() -> None:
    pixels = MaskedPixels(1, image_size=5, stride=2, square=1, ratio=1.0)
    with torch.no_grad():
        pixels.head.weight.fill_(1)
        pixels.head.bias.zero_()
    mask = torch.ones(1, 1, 5, 5, dtype=torch.bool)
    assert pixels.loss(torch.ones(1, 1, 3, 3), torch.ones(1, 3, 5, 5), mask).item() == 0
