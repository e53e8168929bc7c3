"""Region-word matching against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from ovdistill.teacher_training.objectives.region_word.loss import (
    pair_sigmoid_loss,
    phrase_targets,
    region_word_logits,
)


def test_phrases_of_the_same_tokens_fit_alike() -> None:
    phrases = torch.tensor([[1, 2, 0], [1, 3, 0], [1, 2, 0]])
    targets = phrase_targets(phrases, torch.tensor([0, 1, 2, 2]))
    assert targets.int().tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1], [1, 0, 1]]


def test_logits_are_scaled_cosines_with_a_bias() -> None:
    regions, phrases = torch.tensor([[3.0, 4.0]]), torch.tensor([[2.0, 0.0], [0.0, 0.5]])
    logits = region_word_logits(regions, phrases, scale=10, bias=-1)
    assert logits.tolist() == [pytest.approx([5.0, 7.0])]


def test_the_loss_is_summed_over_phrases() -> None:
    logits = torch.tensor([[math.log(3), 0.0], [0.0, -math.log(3)]])
    targets = torch.tensor([[True, False], [False, False]])
    expected = (math.log(4 / 3) + math.log(2) + math.log(2) + math.log(4 / 3)) / 2
    assert pair_sigmoid_loss(logits, targets).item() == pytest.approx(expected)


def test_no_boxes_keep_the_graph() -> None:
    regions = torch.zeros(0, 4, requires_grad=True)
    for count in (0, 3):
        phrases = torch.zeros(count, 4, requires_grad=True)
        logits = region_word_logits(regions, phrases, 10.0, -1.0)
        loss = pair_sigmoid_loss(logits, torch.zeros(0, count, dtype=torch.bool))
        loss.backward()
        assert loss.item() == 0 and phrases.grad.abs().sum() == 0
