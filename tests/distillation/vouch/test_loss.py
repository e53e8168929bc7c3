"""Vouch's formulas against numbers worked out by hand, and their invariants."""

import math

import pytest
import torch

from ovdistill.distillation.vild.loss import vild_image_loss
from ovdistill.distillation.vouch.loss import (
    contest_candidates,
    contest_loss,
    object_evidence,
    weighted_image_loss,
)

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


def test_contest_by_hand():
    # cosines 1 with its class, 0 with the other; 0.6 with the object of the bank; tau 0.5
    texts, bank = torch.tensor([X, Y]), torch.tensor([[0.6, 0.8], [0.0, 0.0]])
    embeddings = torch.tensor([X, X, Y])
    labels = torch.tensor([0, 2, 1])  # the second is background
    base = torch.tensor([True, True])
    candidates = contest_candidates(texts, base, bank, limit=0.7)
    # the object is too near to class 1 (0.8); the second place of the bank is empty
    assert candidates.tolist() == [[True, True, True, False], [True, True, False, False]]
    loss = contest_loss(embeddings, labels, texts, bank, candidates, 0.5)
    first = math.log(1 + math.exp(-2) + math.exp(1.2 - 2))
    third = math.log(1 + math.exp(-2))
    assert loss.item() == pytest.approx((first + third) / 3)


def test_novel_classes_take_no_part_in_the_contest():
    texts, bank = torch.tensor([X, Y]), torch.tensor([[0.6, 0.8]])
    candidates = contest_candidates(texts, torch.tensor([True, False]), bank, limit=2.0)
    assert candidates.tolist() == [[True, False, True]] * 2
    embeddings = torch.tensor([X], requires_grad=True)
    loss = contest_loss(embeddings, torch.tensor([0]), texts, bank, candidates, 1.0)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-0.4)))


def random() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    student, teacher, bank = torch.randn(3, 6, 512, generator=generator).unbind()
    bank = torch.nn.functional.normalize(bank, dim=1)
    return [student, teacher, torch.rand(6, generator=generator), bank]


def losses(student, teacher, weights, bank) -> list[torch.Tensor]:
    """Both losses; the first two regions are of the two classes, the others background."""
    texts = torch.nn.functional.normalize(torch.ones(2, student.shape[1]).cumsum(0), dim=1)
    texts[0, 0] = -texts[0, 0]
    labels = torch.tensor([0, 1, 2, 2, 2, 2]).repeat(2)[: len(student)]
    candidates = contest_candidates(texts, torch.ones(2).bool(), bank, 0.9)
    unit = torch.nn.functional.normalize(student.float(), dim=1)
    return [
        weighted_image_loss(student, teacher, weights),
        contest_loss(unit, labels, texts, bank, candidates, 0.05),
    ]


def test_invariants():
    student, teacher, weights, bank = random()
    expected = [loss.item() for loss in losses(student, teacher, weights, bank)]
    order = torch.randperm(6)
    image = weighted_image_loss(student[order], teacher[order], weights[order])
    assert image.item() == pytest.approx(expected[0], rel=1e-4)
    for changed in (
        (student, teacher, weights, bank[order]),
        (3 * student, 0.1 * teacher, 7 * weights, bank),
        (student.repeat(2, 1), teacher.repeat(2, 1), weights.repeat(2), bank),
    ):
        assert [loss.item() for loss in losses(*changed)] == pytest.approx(expected, rel=1e-4)
    assert weighted_image_loss(teacher, teacher, weights).item() == pytest.approx(0, abs=1e-6)


def test_gradient_reaches_the_student_only():
    student, teacher, weights, bank = random()
    student.requires_grad_(), teacher.requires_grad_()
    for loss in losses(student, teacher, weights, bank):
        student.grad = None
        loss.backward()
        assert student.grad.abs().sum() > 0 and teacher.grad is None


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_to_vouch_for_keeps_the_graph(rows):
    weight = torch.ones(4, 3, requires_grad=True)
    student = torch.ones(rows, 4) @ weight
    texts, background = torch.eye(2, 3), torch.full((rows,), 2)
    candidates = contest_candidates(texts, torch.ones(2).bool(), torch.zeros(5, 3), 0.9)
    found = [
        weighted_image_loss(student, torch.ones(rows, 3), torch.zeros(rows)),
        contest_loss(student, background, texts, torch.zeros(5, 3), candidates, 0.05),
    ]
    sum(found).backward()
    assert [loss.item() for loss in found] == [0, 0] and weight.grad.abs().sum() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close_and_finite(dtype):
    student, teacher, weights, bank = random()
    exact = [loss.item() for loss in losses(student, teacher, weights, bank)]
    with torch.autocast("cpu", dtype=dtype):
        half = losses(student.to(dtype), teacher.to(dtype), weights, bank)
    assert [loss.item() for loss in half] == pytest.approx(exact, rel=3e-2)


def _both(layer, rows: slice) -> list[torch.Tensor]:
    texts, bank = torch.tensor([X, Y]), torch.tensor([[0.6, 0.8]])
    candidates = contest_candidates(texts, torch.ones(2).bool(), bank, 0.7)
    student, teacher = layer(torch.tensor([X])[rows]), torch.tensor([Y])[rows]
    labels = torch.tensor([0])[rows]
    return [
        weighted_image_loss(student, teacher, torch.ones(1)[rows]),
        contest_loss(student, labels, texts, bank, candidates, 0.5),
    ]


def _no_region_on_rank_1(rank: int) -> list:
    layer = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(layer.weight)
    model = torch.nn.parallel.DistributedDataParallel(layer)  # it must live until the backward
    found = _both(model, slice(0, 1 - rank))
    sum(found).backward()
    return [loss.item() for loss in found] + layer.weight.grad.flatten().tolist()


def test_ranks_average_their_own_means():
    first, second = run_on_ranks(_no_region_on_rank_1)
    assert first[0] == pytest.approx(2) and second[:2] == [0, 0]
    assert first[2:] == second[2:]
    layer = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(layer.weight)
    sum(_both(layer, slice(0, 1))).backward()
    assert first[2:] == pytest.approx((layer.weight.grad / 2).flatten().tolist(), rel=1e-4)
