"""CLIP's loss against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from ovdistill.teacher_training.objectives.image_text_contrastive.loss import (
    image_text_loss,
    info_nce,
)

AXES = torch.eye(2)
SCALE = math.log(3)  # a cosine of 1 weighs 3 times one of 0


def test_each_pair_alone() -> None:
    loss = image_text_loss(AXES, AXES, AXES, AXES, SCALE)
    assert loss.item() == pytest.approx(math.log(4 / 3))  # 3 of 3 + 1


def test_the_two_directions_differ() -> None:
    texts = AXES[[0, 0]]  # both images have the text of the first
    assert info_nce(AXES, texts, SCALE).item() == pytest.approx(math.log(2))
    back = (math.log(4 / 3) + math.log(4)) / 2
    assert info_nce(texts, AXES, SCALE).item() == pytest.approx(back)
    loss = image_text_loss(AXES, texts, AXES, texts, SCALE)
    assert loss.item() == pytest.approx((math.log(2) + back) / 2)


def test_rows_of_a_later_rank() -> None:
    others = torch.cat([AXES, AXES.flip(0)])
    # 1 . 3 for the rows of the second rank, whose others are exchanged: weights 3, 1, 1, 3
    assert info_nce(AXES, others, SCALE, first=2).item() == pytest.approx(math.log(8))
