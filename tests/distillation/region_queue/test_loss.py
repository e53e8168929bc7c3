"""Relations to a queue: a golden number, empty keys, offsets and gradients."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.distillation.region_queue.loss import queue_relation_loss


def test_golden_divergence():
    # teacher's cosines 1 and 0, the student's 0 and 1, tau = 1 / ln 3: shares 3/4, 1/4 and back
    keys = torch.eye(2)
    weights = torch.tensor([2.0])
    loss = queue_relation_loss(keys[1:], keys[:1], keys, weights, 1 / math.log(3))
    # 3/4 ln 3 + 1/4 ln (1/3)
    assert loss.item() == pytest.approx(0.5 * math.log(3), abs=1e-6)
    # a second region that agrees, with three times the weight
    student = torch.stack([keys[1], keys[0]])
    loss = queue_relation_loss(
        student, keys[[0, 0]], keys, torch.tensor([1.0, 3.0]), 1 / math.log(3)
    )
    assert loss.item() == pytest.approx(0.125 * math.log(3), abs=1e-6)


def test_empty_keys_and_a_shared_offset_change_nothing():
    torch.manual_seed(0)
    student, teacher = normalize(torch.randn(2, 4, 6), dim=-1)
    keys = normalize(torch.randn(5, 6), dim=-1)
    weights = torch.rand(4)
    loss = queue_relation_loss(student, teacher, keys, weights, 0.1)
    padded = torch.cat([keys, torch.zeros(3, 6)])
    moved = keys + torch.randn(6)
    for other in (padded, moved):
        found = queue_relation_loss(student, teacher, other, weights, 0.1)
        torch.testing.assert_close(found, loss, rtol=1e-4, atol=1e-4)


def test_no_regions_or_no_weight_give_zero_with_a_graph():
    student = torch.randn(2, 4, requires_grad=True)
    teacher, keys = normalize(torch.randn(2, 4), dim=-1), torch.zeros(3, 4)
    for count, filled in ((2, keys + 1), (0, keys)):
        loss = queue_relation_loss(
            student[:count], teacher[:count], filled, torch.zeros(count), 0.1
        )
        loss.backward()
        assert loss.item() == 0 and student.grad.abs().sum() == 0


def test_the_teacher_is_the_optimum_and_receives_no_gradient():
    teacher = normalize(torch.randn(3, 4), dim=-1).requires_grad_()
    student = teacher.detach().clone().requires_grad_()
    loss = queue_relation_loss(student, teacher, teacher.detach(), torch.ones(3), 0.1)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert student.grad.abs().max() < 1e-5 and teacher.grad is None
