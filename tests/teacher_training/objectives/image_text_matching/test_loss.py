"""Negatives of image-text matching, and its loss."""

from __future__ import annotations

import math

import pytest
import torch

from ovdistill.teacher_training.batch import NO_LABEL
from ovdistill.teacher_training.objectives.image_text_matching.loss import (
    draw_negatives,
    matching_loss,
    mismatches,
)


def test_one_label_or_the_same_words_are_no_mismatch() -> None:
    labels = torch.tensor([4, NO_LABEL, 4, NO_LABEL])
    tokens = torch.tensor([[1, 2], [3, 2], [5, 2], [3, 2]])
    expected = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    assert mismatches(labels, tokens).int().tolist() == expected


def test_negatives_follow_the_softmax_of_the_allowed_ones() -> None:
    torch.manual_seed(0)
    logits = torch.tensor([9.0, 3.0, 1.0, 50.0]).log().expand(4000, 4)
    allowed = torch.tensor([True, True, True, False]).expand(4000, 4)
    columns, found = draw_negatives(logits, allowed)
    shares = columns.bincount(minlength=4) / 4000
    assert found.all() and shares[3] == 0
    assert shares[:3].tolist() == pytest.approx([9 / 13, 3 / 13, 1 / 13], abs=0.03)


def test_a_row_without_negatives() -> None:
    allowed = torch.tensor([[False, True], [False, False]])
    columns, found = draw_negatives(torch.zeros(2, 2), allowed)
    assert columns[0] == 1 and found.tolist() == [True, False]


def test_the_loss_is_a_mean_over_the_pairs() -> None:
    fitting, other = torch.tensor([0.0, math.log(3)]), torch.tensor([math.log(3), 8.0])
    loss = matching_loss(fitting, other, torch.tensor([True, False]))
    expected = (math.log(2) + math.log(4 / 3) + math.log(4)) / 3
    assert loss.item() == pytest.approx(expected)
