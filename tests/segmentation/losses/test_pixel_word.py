"""Pixel-word alignment against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from ovdistill.segmentation.losses.pixel_word import pixel_word_logits, pixel_word_loss

TEXTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])


def test_logits_are_cosines_over_the_temperature():
    pixels = torch.tensor([[1.0, 0.0], [0.8, 0.6]]).T.reshape(1, 2, 1, 2)
    logits = pixel_word_logits(pixels, TEXTS, 0.5)
    expected = torch.tensor([[2.0, 0.0, 1.2], [1.6, 1.2, 1.92]])
    torch.testing.assert_close(logits[0, 0], expected)


def test_names_that_are_not_known_in_training_have_no_part_in_the_loss():
    pixels = torch.tensor([[0.6, 0.8]]).T.reshape(1, 2, 1, 1).requires_grad_()
    known = torch.tensor([True, True, False])
    logits = pixel_word_logits(pixels, TEXTS, 1.0, known)
    assert logits[0, 0, 0, 2] == -torch.inf
    loss = pixel_word_loss(logits, torch.tensor([[[0]]]))
    # -log(e^0.6 / (e^0.6 + e^0.8))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(0.2)))
    (gradient,) = torch.autograd.grad(loss, pixels)
    assert gradient.isfinite().all()


def test_the_mean_is_over_labelled_pixels():
    logits = torch.zeros(1, 1, 3, 2)
    logits[0, 0, 0, 0] = 1.0
    labels = torch.tensor([[[0, 1, -1]]])
    first, second = math.log(1 + math.exp(-1)), math.log(2)
    assert pixel_word_loss(logits, labels).item() == pytest.approx((first + second) / 2)
    weights = torch.tensor([[[2.0, 0.0, 5.0]]])
    assert pixel_word_loss(logits, labels, weights).item() == pytest.approx(first)


def test_a_batch_without_labels_has_a_zero_with_a_graph():
    logits = torch.randn(1, 2, 2, 3, requires_grad=True)
    hidden = logits.masked_fill(torch.tensor([False, True, False]), -torch.inf)
    loss = pixel_word_loss(hidden, torch.full((1, 2, 2), -1))
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()


def test_half_precision_does_not_round_the_logits():
    pixels = torch.nn.functional.normalize(torch.randn(1, 8, 4, 4), dim=1)
    texts = torch.nn.functional.normalize(torch.randn(5, 8), dim=1)
    with torch.autocast("cpu", torch.bfloat16):
        logits = pixel_word_logits(pixels, texts, 0.01)
    torch.testing.assert_close(logits, pixel_word_logits(pixels, texts, 0.01))
