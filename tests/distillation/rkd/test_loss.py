"""RKD's formulas against numbers worked out by hand, and their invariants."""

import math

import pytest
import torch

from ovdistill.distillation.rkd.loss import point_loss, pseudo_label_loss, relation_loss
from ovdistill.distillation.vild.loss import vild_image_loss

from ..ranks import run_on_ranks

STUDENT = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
TEACHER = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
PRESETS = [(1, "sum"), (2, "mean")]


def random(rows: int = 5, embed_dim: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, rows, embed_dim, generator=generator).unbind()


def test_point_loss_by_hand():
    # rows: 0 and 0.6 + 0.2
    assert point_loss(STUDENT, TEACHER, "sum").item() == pytest.approx(0.4)
    assert point_loss(STUDENT, TEACHER, "mean").item() == pytest.approx(0.2)
    student, teacher = random()
    assert point_loss(student, teacher, "sum").item() == pytest.approx(
        vild_image_loss(student, teacher).item()
    )


def test_relation_loss_by_hand():
    # cosines of the student [[1, .6], [.6, 1]], of the teacher the identity
    one = relation_loss(STUDENT, TEACHER, 1, "sum").item()
    # L1 rows: (1, .6) / 1.6 = (.625, .375): 2 * (.375^2 + .375^2)
    assert one == pytest.approx(4 * 0.375**2)
    norm = math.hypot(1, 0.6)
    two = 2 * ((1 - 1 / norm) ** 2 + (0.6 / norm) ** 2)
    assert relation_loss(STUDENT, TEACHER, 2, "mean").item() == pytest.approx(two / 4)
    assert relation_loss(STUDENT, TEACHER, 2, "sum").item() == pytest.approx(two)


@pytest.mark.parametrize(("row_norm", "reduction"), PRESETS)
def test_relation_loss_invariants(row_norm, reduction):
    student, teacher = random()
    loss = relation_loss(student, teacher, row_norm, reduction).item()
    order = torch.tensor([3, 1, 4, 0, 2])
    assert loss > 0
    assert relation_loss(teacher, teacher, row_norm, reduction).item() == pytest.approx(0, abs=1e-9)
    assert relation_loss(student[order], teacher[order], row_norm, reduction).item() == (
        pytest.approx(loss, rel=1e-5)
    )
    assert relation_loss(5 * student, 0.1 * teacher, row_norm, reduction).item() == (
        pytest.approx(loss, rel=1e-4)
    )
    # only relations count: a rotation of the whole space changes nothing
    rotation = torch.linalg.qr(torch.randn(8, 8))[0]
    assert relation_loss(student @ rotation, teacher, row_norm, reduction).item() == (
        pytest.approx(loss, rel=1e-4)
    )


def test_relation_loss_scales_with_the_regions_as_documented():
    # every region twice: L2 rows shrink by sqrt(2), four times the entries
    student, teacher = random()
    twice = student.repeat(2, 1), teacher.repeat(2, 1)
    paper = relation_loss(student, teacher, 2, "sum").item()
    assert relation_loss(*twice, 2, "sum").item() == pytest.approx(2 * paper, rel=1e-4)
    assert relation_loss(*twice, 2, "mean").item() == pytest.approx(2 * paper / 100, rel=1e-4)
    # L1 rows shrink by 2, four times the entries: the released form forgets how often
    code = relation_loss(student, teacher, 1, "sum").item()
    assert relation_loss(*twice, 1, "sum").item() == pytest.approx(code, rel=1e-4)


def test_gradient_reaches_the_student_only():
    student, teacher = (part.clone().requires_grad_() for part in random())
    loss = point_loss(student, teacher, "mean") + relation_loss(student, teacher, 1, "sum")
    loss.backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None


def test_no_region_keeps_the_graph():
    weight = torch.ones(4, 3, requires_grad=True)
    student, teacher = torch.zeros(0, 4) @ weight, torch.zeros(0, 3)
    losses = [point_loss(student, teacher, "mean")]
    losses += [relation_loss(student, teacher, *preset) for preset in PRESETS]
    none = torch.zeros(0, dtype=torch.bool)
    losses.append(pseudo_label_loss(student, torch.zeros(0, 3), none, none.long(), images=2))
    sum(losses).backward()
    assert [loss.item() for loss in losses] == [0] * 4 and weight.grad.abs().sum() == 0


def test_pseudo_label_loss_by_hand():
    # rows: 2 ln 2; ln(4/3) + ln 2; left out; 2 ln 2
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0], [9.0, 9.0], [0.0, 0.0]])
    targets = torch.tensor([[0, 1], [1, 0], [0, 1], [0, 1]])
    kept = torch.tensor([True, True, False, True])
    image = torch.tensor([0, 0, 0, 2])
    # image 0 has two labels, image 2 has one, images 1 and 3 have none
    expected = ((3 * math.log(2) + math.log(4 / 3)) / 2 + 2 * math.log(2)) / 4
    loss = pseudo_label_loss(logits, targets, kept, image, images=4)
    assert loss.item() == pytest.approx(expected)
    first = torch.tensor([1.0, 0.0])
    loss = pseudo_label_loss(logits[:3], targets[:3], kept[:3], image[:3], 1, first)
    assert loss.item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)


def test_pseudo_label_loss_does_not_fall_with_the_batch():
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(3, 5, generator=generator), torch.eye(5)[:3]
    kept, image = torch.ones(3, dtype=torch.bool), torch.tensor([0, 1, 1])
    two = pseudo_label_loss(logits, targets, kept, image, images=2)
    four = pseudo_label_loss(
        logits.repeat(2, 1), targets.repeat(2, 1), kept.repeat(2), torch.cat([image, image + 2]), 4
    )
    assert four.item() == pytest.approx(two.item())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close_and_finite(dtype):
    student, teacher = random(20, 512)
    for row_norm, reduction in PRESETS:
        exact = relation_loss(student, teacher, row_norm, reduction).item()
        with torch.autocast("cpu", dtype=dtype):
            half = relation_loss(student.to(dtype), teacher.to(dtype), row_norm, reduction)
        assert half.item() == pytest.approx(exact, rel=5e-2)


def _rank_value(rank: int) -> tuple[float, list]:
    layer = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(layer.weight)
    model = torch.nn.parallel.DistributedDataParallel(layer)
    rows = slice(0, 2 - 2 * rank)  # rank 1 has no region
    loss = relation_loss(model(STUDENT[rows]), TEACHER[rows], 2, "mean")
    loss.backward()
    return loss.item(), layer.weight.grad.tolist()


def test_ranks_relate_their_own_regions_and_average():
    (first, grad), (second, other) = run_on_ranks(_rank_value)
    assert second == 0 and grad == other
    weight = torch.eye(2, requires_grad=True)
    single = relation_loss(STUDENT @ weight.T, TEACHER, 2, "mean")
    single.backward()
    assert first == pytest.approx(single.item())
    assert torch.allclose(torch.tensor(grad), weight.grad / 2, atol=1e-6)
