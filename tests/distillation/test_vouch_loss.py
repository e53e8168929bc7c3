"""Vouch's formulas against numbers worked out by hand, and their invariants."""

import math

import pytest
import torch

from ovdistill.distillation.vild.loss import vild_image_loss
from ovdistill.distillation.vouch.loss import (
    contest,
    contest_loss,
    object_evidence,
    weighted_image_loss,
)

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


def test_contest_by_hand():
    # cosines 1 with its word, 0 with the other; 0.6 with the object of the bank; tau 0.5
    words, bank = torch.tensor([X, Y]), torch.tensor([[0.6, 0.8], [0.0, 0.0]])
    embeddings = torch.tensor([X, X, Y])
    labels = torch.tensor([0, 2, 1])  # the second is background
    base = torch.tensor([True, True])
    takes_part = contest(words, base, bank, limit=0.7)
    # the object is too near to word 1 (0.8); the second place of the bank is empty
    assert takes_part.tolist() == [[True, True, True, False], [True, True, False, False]]
    loss = contest_loss(embeddings, labels, words, bank, takes_part, 0.5)
    first = math.log(1 + math.exp(-2) + math.exp(1.2 - 2))
    third = math.log(1 + math.exp(-2))
    assert loss.item() == pytest.approx((first + third) / 3)


def test_novel_words_take_no_part_in_the_contest():
    words, bank = torch.tensor([X, Y]), torch.tensor([[0.6, 0.8]])
    takes_part = contest(words, torch.tensor([True, False]), bank, limit=2.0)
    assert takes_part.tolist() == [[True, False, True]] * 2
    embeddings = torch.tensor([X], requires_grad=True)
    loss = contest_loss(embeddings, torch.tensor([0]), words, bank, takes_part, 1.0)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-0.4)))


def random() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    student, teacher, bank = torch.randn(3, 6, 512, generator=generator).unbind()
    bank = torch.nn.functional.normalize(bank, dim=1)
    return [student, teacher, torch.rand(6, generator=generator), bank]


def losses(student, teacher, weights, bank) -> list[torch.Tensor]:
    """Both losses; the first two regions are of the two words, the others background."""
    words = torch.nn.functional.normalize(torch.ones(2, student.shape[1]).cumsum(0), dim=1)
    words[0, 0] = -words[0, 0]
    labels = torch.tensor([0, 1, 2, 2, 2, 2]).repeat(2)[: len(student)]
    takes_part = contest(words, torch.ones(2).bool(), bank, 0.9)
    unit = torch.nn.functional.normalize(student.float(), dim=1)
    return [
        weighted_image_loss(student, teacher, weights),
        contest_loss(unit, labels, words, bank, takes_part, 0.05),
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
    words, background = torch.eye(2, 3), torch.full((rows,), 2)
    takes_part = contest(words, torch.ones(2).bool(), torch.zeros(5, 3), 0.9)
    found = [
        weighted_image_loss(student, torch.ones(rows, 3), torch.zeros(rows)),
        contest_loss(student, background, words, torch.zeros(5, 3), takes_part, 0.05),
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


def test_the_bank_keeps_the_latest_sure_objects_without_a_label():
    term = dict(type="VouchTerm", bank_rows=3, bank_size=5, min_objectness=0.3)
    model = build("vild_r18_shapes", words(7), distillers=[term])
    (term,) = model.roi_head.distillers
    before = term.bank
    for _ in range(2):
        data = batch((4, 0), (1, 1))
        sample = data["data_samples"][0]
        # a labelled object, two sure ones without a label, an unsure one
        sample.teacher_regions.bboxes = torch.tensor([[0.0, 0, 9, 9]]).repeat(4, 1)
        sample.gt_instances.bboxes = torch.tensor([[30.0, 30, 60, 60]])
        sample.teacher_regions.bboxes[0] = sample.gt_instances.bboxes[0]
        sample.teacher_regions.objectness = torch.tensor([0.9, 0.5, 0.8, 0.1])
        loss, logged = losses_of(model, data)
        embeddings = sample.teacher_regions.embeddings
        fresh = torch.stack([embeddings[2], embeddings[1], torch.zeros(D)])
        assert torch.allclose(term.bank, torch.cat([fresh, before[:2]]), atol=1e-6)
        before = term.bank
    assert {"loss_vouch_image", "loss_vouch_contest"} <= set(logged)
    assert loss.isfinite()
    assert not any("bank" in key for key in model.state_dict())


def test_background_rois_on_a_sure_region_lose_their_weight():
    for soften in (0.0, 1.0):
        term = dict(type="VouchTerm", soften=soften, min_overlap=0.3, contest_weight=0)
        model = build("vild_r18_shapes", words(7), distillers=[term])
        seen = []
        head = model.roi_head.bbox_head
        loss = head.loss
        head.loss = lambda *args, loss=loss, seen=seen: (seen.append(args[2:5]), loss(*args))[1]
        data = batch((1, 1), (0, 0))
        for sample in data["data_samples"]:  # a sure object as large as the image
            sample.teacher_regions.bboxes = torch.tensor([[0.0, 0, 64, 64]])
            sample.teacher_regions.objectness = torch.ones(1)
        torch.manual_seed(0)
        losses_of(model, data)
        ((rois, labels, weights),) = seen
        assert (labels == head.num_classes).all()
        area = (rois[:, 3:] - rois[:, 1:3]).clamp(min=0).prod(dim=1)
        matched = area / 64**2 >= 0.3  # RoIs lie inside the image
        assert 0 < matched.sum() < len(rois)
        assert torch.equal(weights, 1 - soften * matched.float())


def _both(layer, rows: slice) -> list[torch.Tensor]:
    words, bank = torch.tensor([X, Y]), torch.tensor([[0.6, 0.8]])
    takes_part = contest(words, torch.ones(2).bool(), bank, 0.7)
    student, teacher = layer(torch.tensor([X])[rows]), torch.tensor([Y])[rows]
    labels = torch.tensor([0])[rows]
    return [
        weighted_image_loss(student, teacher, torch.ones(1)[rows]),
        contest_loss(student, labels, words, bank, takes_part, 0.5),
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
