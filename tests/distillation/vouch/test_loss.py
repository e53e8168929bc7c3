"""Vouch's formulas against numbers worked out by hand, and their invariants."""

import pytest
import torch

from ovdistill.distillation.vild.loss import vild_image_loss
from ovdistill.distillation.vouch.loss import object_evidence, weighted_image_loss

from ..ranks import run_on_ranks

X, Y = [1.0, 0.0], [0.0, 1.0]


def test_evidence_is_the_best_objectness_of_a_match():
    overlap = torch.tensor([[0.6, 0.5, 0.9], [0.4, 0.0, 0.5], [0.1, 0.2, 0.3]])
    evidence = object_evidence(overlap, torch.tensor([0.2, 0.7, 0.4]))
    assert evidence.tolist() == pytest.approx([0.7, 0.4, 0.0])
    assert object_evidence(overlap[:, :0], torch.zeros(0)).tolist() == [0, 0, 0]


def test_image_loss_by_hand():
    student, teacher = torch.tensor([X, [0.6, 0.8]]), torch.tensor([Y, X])
    # rows 2 and 1.2, weights 1 and 3
    loss = weighted_image_loss(student, teacher, torch.tensor([0.2, 0.6]))
    assert loss.item() == pytest.approx((2 + 3 * 1.2) / 4)
    even = weighted_image_loss(student, teacher, torch.tensor([0.3, 0.3]))
    assert even.item() == pytest.approx(vild_image_loss(student, teacher).item())


def random() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 6, 512, generator=generator).unbind()
    return [student, teacher, torch.rand(6, generator=generator)]


def test_invariants():
    student, teacher, weights = random()
    expected = pytest.approx(weighted_image_loss(student, teacher, weights).item(), rel=1e-4)
    order = torch.randperm(6)
    for changed in (
        (student[order], teacher[order], weights[order]),
        (3 * student, 0.1 * teacher, 7 * weights),
        (student.repeat(2, 1), teacher.repeat(2, 1), weights.repeat(2)),
    ):
        assert weighted_image_loss(*changed).item() == expected
    assert weighted_image_loss(teacher, teacher, weights).item() == pytest.approx(0, abs=1e-6)


def test_gradient_reaches_the_student_only():
    student, teacher, weights = random()
    student.requires_grad_(), teacher.requires_grad_()
    weighted_image_loss(student, teacher, weights).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_to_vouch_for_keeps_the_graph(rows):
    weight = torch.ones(4, 3, requires_grad=True)
    student = torch.ones(rows, 4) @ weight
    found = weighted_image_loss(student, torch.ones(rows, 3), torch.zeros(rows))
    found.backward()
    assert found.item() == 0 and weight.grad.abs().sum() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close_and_finite(dtype):
    student, teacher, weights = random()
    exact = weighted_image_loss(student, teacher, weights).item()
    with torch.autocast("cpu", dtype=dtype):
        half = weighted_image_loss(student.to(dtype), teacher.to(dtype), weights)
    assert half.item() == pytest.approx(exact, rel=3e-2)


def _image_loss(layer, rows: slice) -> torch.Tensor:
    student, teacher = layer(torch.tensor([X])[rows]), torch.tensor([Y])[rows]
    return weighted_image_loss(student, teacher, torch.ones(1)[rows])


def _no_region_on_rank_1(rank: int) -> list:
    layer = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(layer.weight)
    model = torch.nn.parallel.DistributedDataParallel(layer)  # it must live until the backward
    loss = _image_loss(model, slice(0, 1 - rank))
    loss.backward()
    return [loss.item(), *layer.weight.grad.flatten().tolist()]


def test_ranks_average_their_own_means():
    first, second = run_on_ranks(_no_region_on_rank_1)
    assert first[0] == pytest.approx(2) and second[0] == 0
    assert first[1:] == second[1:]
    layer = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(layer.weight)
    _image_loss(layer, slice(0, 1)).backward()
    assert first[1:] == pytest.approx((layer.weight.grad / 2).flatten().tolist(), rel=1e-4)
