"""Contrasts of views against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from ovdistill.teacher_training.objectives.image_contrastive.loss import (
    batch_contrast,
    queue_contrast,
)

AXES = torch.eye(2)
TAU = 1 / math.log(3)  # a cosine of 1 weighs 3 times one of 0


def test_views_that_agree() -> None:
    # 3 for the other view, 1 for each view of the other image
    loss = batch_contrast(AXES, AXES, AXES, AXES, TAU)
    assert loss.item() == pytest.approx(math.log(5 / 3))


def test_views_that_are_exchanged() -> None:
    swapped = AXES.flip(0)
    # 1 for the other view; 1 and 3 for those of the other image
    loss = batch_contrast(AXES, swapped, AXES, swapped, TAU)
    assert loss.item() == pytest.approx(math.log(5))


def test_views_of_a_later_rank() -> None:
    every = torch.cat([AXES, AXES])
    # twice the candidates: 3 for the other view, 3 + 3 for the same image's on the other rank
    loss = batch_contrast(AXES, AXES, every, every, TAU, start=2)
    assert loss.item() == pytest.approx(math.log((3 * 3 + 4 * 1) / 3))


def test_a_queue_whose_second_half_is_empty() -> None:
    queue = torch.stack([AXES[1], torch.zeros(2)])
    loss = queue_contrast(AXES[:1], AXES[:1], queue, TAU)
    assert loss.item() == pytest.approx(math.log(4 / 3))
    # the key of the second query is the first row of the queue as well: 3 of 1 + 3 + 3
    loss = queue_contrast(AXES, AXES, queue, TAU)
    assert loss.item() == pytest.approx((math.log(5 / 3) + math.log(7 / 3)) / 2)


def test_keys_have_no_gradient() -> None:
    queries, keys = AXES.clone().requires_grad_(), AXES.flip(0).requires_grad_()
    queue_contrast(queries, keys, AXES, TAU).backward()
    assert queries.grad.abs().sum() > 0 and keys.grad is None


def test_no_images_keep_the_graph() -> None:
    rows = torch.zeros(0, 2, requires_grad=True)
    for loss in (
        batch_contrast(rows, rows, AXES, AXES, TAU),
        queue_contrast(rows, AXES, AXES, TAU),
    ):
        loss.backward()
        assert loss.item() == 0
