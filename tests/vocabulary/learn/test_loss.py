"""DetPro's formulas against numbers worked out by hand, and their invariants."""

import math

import pytest
import torch

from ovdistill.vocabulary.learn.loss import class_weights, soft_background_loss

LN = math.log


def test_loss_by_hand():
    # p = (1/4, 3/4) of class 1; (1/2, 1/2) and (1/8, 7/8) of background
    logits = torch.tensor([[1.0, 3.0], [5.0, 5.0], [1.0, 7.0]]).log()
    labels = torch.tensor([1, 2, 2])
    weights = torch.tensor([9.0, 3.0, 0.5])
    own = LN(4 / 3)
    background = LN(2) + (LN(8) + LN(8 / 7)) / 2
    expected = (3 * own + 0.5 * background) / (3 + 0.5 + 0.5)
    assert soft_background_loss(logits, labels, weights).item() == pytest.approx(expected, abs=1e-6)


def test_without_background_and_with_equal_weights_it_is_cross_entropy():
    logits, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 3, 0])
    loss = soft_background_loss(logits, labels, torch.full((5,), 2.5))
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, labels))


def test_uniform_prediction_is_the_least_that_background_costs():
    labels, weights = torch.tensor([5]), torch.ones(6)
    uniform = torch.full((1, 5), 7.0, requires_grad=True)
    loss = soft_background_loss(uniform, labels, weights)
    loss.backward()
    assert loss.item() == pytest.approx(LN(5), abs=1e-6)
    torch.testing.assert_close(uniform.grad, torch.zeros(1, 5), atol=1e-6, rtol=0)
    for _ in range(20):
        assert soft_background_loss(torch.randn(1, 5), labels, weights) > loss


def test_neither_the_scale_of_the_weights_nor_the_order_matters():
    logits, labels, weights = torch.randn(8, 3), torch.arange(8) % 4, torch.rand(4) + 0.1
    loss = soft_background_loss(logits, labels, weights)
    order = torch.randperm(8)
    torch.testing.assert_close(soft_background_loss(logits, labels, 7 * weights), loss)
    torch.testing.assert_close(soft_background_loss(logits[order], labels[order], weights), loss)


def test_half_precision_logits_are_taken_as_float32():
    logits, labels = torch.randn(8, 3) * 30, torch.arange(8) % 4
    loss = soft_background_loss(logits.half(), labels, torch.ones(4))
    assert loss.dtype == torch.float32
    exact = soft_background_loss(logits.half().float(), labels, torch.ones(4))
    torch.testing.assert_close(loss, exact)


def test_weights_by_hand():
    # 10 samples of 2 classes: 5, 1 and 4 of background.
    # freq = 5 * 2 / 10 = 1, 1 * 2 / 10 = 0.2, 2 * 4 / 10 = 0.8
    labels = torch.tensor([0] * 5 + [1] + [2] * 4)
    assert class_weights(labels, 2).tolist() == pytest.approx([1, 5, 1.25])


def test_classes_weigh_alike_together_and_background_half_of_all():
    labels = torch.randint(0, 7, (500,))
    weights = class_weights(labels, 6)
    totals = torch.zeros(7).index_add(0, labels, weights[labels])
    torch.testing.assert_close(totals, torch.tensor([500 / 6] * 6 + [250.0]))


def test_a_class_without_sample_has_no_weight():
    weights = class_weights(torch.tensor([0, 2]), 3)
    assert weights.tolist() == pytest.approx([2 / 3, 0, 2 / 3, 0])
