"""Vouch's formulas against numbers worked out by hand, and their invariants."""

import math

import pytest
import torch

from ovdistill.methods.vild.loss import vild_image_loss
from ovdistill.methods.vouch.loss import naming_loss, object_evidence, weighted_image_loss

from ..batches import D, batch, build, losses_of, words
from .ranks import run_on_ranks

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


def test_naming_loss_by_hand():
    # student X, teacher Y, bank X and Y, tau 1: softmax (e, 1) against (1, e), over e + 1
    bank = torch.tensor([X, Y])
    p = math.e / (math.e + 1)
    expected = p * math.log(p / (1 - p)) + (1 - p) * math.log((1 - p) / p)
    one = torch.ones(1)
    loss = naming_loss(torch.tensor([X]), torch.tensor([Y]), one, bank, 1.0)
    assert loss.item() == pytest.approx(expected)
    # a second region that agrees, with three times the weight
    student, teacher = torch.tensor([X, Y]), torch.tensor([Y, Y])
    loss = naming_loss(student, teacher, torch.tensor([1.0, 3.0]), bank, 1.0)
    assert loss.item() == pytest.approx(expected / 4)


def random() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    student, teacher, bank = torch.randn(3, 6, 512, generator=generator).unbind()
    bank = torch.nn.functional.normalize(bank, dim=1)
    return [student, teacher, torch.rand(6, generator=generator), bank]


def losses(student, teacher, weights, bank) -> list[torch.Tensor]:
    return [
        weighted_image_loss(student, teacher, weights),
        naming_loss(student, teacher, weights, bank, 0.05),
    ]


def test_invariants():
    student, teacher, weights, bank = random()
    expected = [loss.item() for loss in losses(student, teacher, weights, bank)]
    order = torch.randperm(6)
    for changed in (
        (student[order], teacher[order], weights[order], bank),
        (student, teacher, weights, bank[order]),
        (3 * student, 0.1 * teacher, 7 * weights, bank),
        (student.repeat(2, 1), teacher.repeat(2, 1), weights.repeat(2), bank),
    ):
        assert [loss.item() for loss in losses(*changed)] == pytest.approx(expected, rel=1e-4)
    same = [loss.item() for loss in losses(teacher, teacher, weights, bank)]
    assert same == pytest.approx([0, 0], abs=1e-6)


def test_gradient_reaches_the_student_only():
    student, teacher, weights, bank = random()
    student.requires_grad_(), teacher.requires_grad_()
    sum(losses(student, teacher, weights, bank)).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_to_vouch_for_keeps_the_graph(rows):
    weight = torch.ones(4, 3, requires_grad=True)
    student = torch.ones(rows, 4) @ weight
    found = losses(student, torch.ones(rows, 3), torch.zeros(rows), torch.zeros(0, 3))
    sum(found).backward()
    assert [loss.item() for loss in found] == [0, 0] and weight.grad.abs().sum() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close_and_finite(dtype):
    student, teacher, weights, bank = random()
    exact = [loss.item() for loss in losses(student, teacher, weights, bank)]
    with torch.autocast("cpu", dtype=dtype):
        half = losses(student.to(dtype), teacher.to(dtype), weights, bank)
    assert [loss.item() for loss in half] == pytest.approx(exact, rel=3e-2)


TERM = dict(type="VouchTerm", naming_weight=1.0, bank_rows=2, bank_size=5)


def test_the_bank_keeps_the_latest_and_surest_regions():
    model = build("vild_r18_shapes", words(7), distillers=[TERM])
    (term,) = model.roi_head.distillers
    for expected in (2, 4, 5, 5):
        data = batch((3, 0))
        region = data["data_samples"][0].teacher_regions
        loss, logged = losses_of(model, data)
        assert term.bank.shape == (expected, D)
        surest = region.embeddings[region.objectness.argsort(descending=True)[:2]]
        assert torch.allclose(term.bank[:2], surest)
    assert {"loss_vouch_image", "loss_vouch_naming"} <= set(logged)
    assert not any("bank" in key for key in model.state_dict())


def test_background_rois_on_a_sure_region_lose_their_weight():
    for soften in (0.0, 1.0):
        term = dict(type="VouchTerm", soften=soften, min_overlap=0.3)
        model = build("vild_r18_shapes", words(7), distillers=[term])
        seen = []
        head = model.roi_head.bbox_head
        loss = head.loss
        head.loss = lambda *args, loss=loss, seen=seen: (seen.append(args[2:5]), loss(*args))[1]
        data = batch((1, 1), (0, 0))
        for sample in data["data_samples"]:  # a sure object as large as the picture
            sample.teacher_regions.bboxes = torch.tensor([[0.0, 0, 64, 64]])
            sample.teacher_regions.objectness = torch.ones(1)
        torch.manual_seed(0)
        losses_of(model, data)
        ((rois, labels, weights),) = seen
        assert (labels == head.num_classes).all()
        area = (rois[:, 3:] - rois[:, 1:3]).clamp(min=0).prod(dim=1)
        matched = area / 64**2 >= 0.3  # RoIs lie inside the picture
        assert 0 < matched.sum() < len(rois)
        assert torch.equal(weights, 1 - soften * matched.float())


def _no_region_on_rank_1(rank: int) -> list:
    layer = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(layer.weight)
    model = torch.nn.parallel.DistributedDataParallel(layer)
    rows = slice(0, 1 - rank)
    student, teacher = torch.tensor([X])[rows], torch.tensor([Y])[rows]
    found = losses(model(student), teacher, torch.ones(1)[rows], torch.tensor([X, Y]))
    sum(found).backward()
    return [loss.item() for loss in found] + layer.weight.grad.flatten().tolist()


def test_ranks_average_their_own_means():
    first, second = run_on_ranks(_no_region_on_rank_1)
    assert first[0] == pytest.approx(2) and second[:2] == [0, 0]
    assert first[2:] == second[2:]
    weight = torch.eye(2, requires_grad=True)
    one = losses(
        torch.tensor([X]) @ weight.T, torch.tensor([Y]), torch.ones(1), torch.tensor([X, Y])
    )
    sum(one).backward()
    assert first[2:] == pytest.approx((weight.grad / 2).flatten().tolist(), rel=1e-4)
