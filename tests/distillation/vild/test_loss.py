"""ViLD's formulas against numbers worked out by hand, and their invariants."""

import math

import pytest
import torch

from ovdistill.distillation.vild.loss import ensemble_log_scores, vild_image_loss, vild_text_loss

from ..ranks import run_on_ranks

INF = float("inf")


def test_text_loss_by_hand():
    # row 0: softmax(ln 1, ln 3, bg ln 4) = 1/8, 3/8, 4/8; row 1: ln 2, ln 2, ln 4 -> 1/4, 1/4, 1/2
    logits = torch.tensor([[1.0, 3.0, 4.0], [2.0, 2.0, 4.0]]).log()
    labels = torch.tensor([1, 2])
    expected = (math.log(8 / 3) + math.log(2)) / 2
    assert vild_text_loss(logits, labels).item() == pytest.approx(expected, abs=1e-6)


def test_text_loss_weights_count_only_weighted_rows():
    logits = torch.tensor([[1.0, 3.0, 4.0], [2.0, 2.0, 4.0], [9.0, 1.0, 1.0]]).log()
    loss = vild_text_loss(logits, torch.tensor([1, 2, 1]), torch.tensor([1.0, 1.0, 0.0]))
    assert loss.item() == pytest.approx((math.log(8 / 3) + math.log(2)) / 2, abs=1e-6)


def test_novel_column_takes_no_part_and_gets_no_gradient():
    logits = torch.tensor([[0.3, -1.0, 2.0]], requires_grad=True)
    masked = logits.masked_fill(torch.tensor([False, True, False]), -INF)
    loss = vild_text_loss(masked, torch.tensor([0]))
    without = vild_text_loss(logits[:, [0, 2]], torch.tensor([0]))
    assert loss.item() == pytest.approx(without.item(), abs=1e-6)
    loss.backward()
    assert logits.grad[0, 1] == 0
    assert logits.grad.isfinite().all() and logits.grad[0, 0] < 0


def test_text_loss_of_no_region_keeps_the_graph():
    weight = torch.ones(4, 3, requires_grad=True)
    logits = torch.zeros(0, 4) @ weight
    loss = vild_text_loss(logits, torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0 and weight.grad.abs().sum() == 0


def test_image_loss_by_hand():
    student = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    teacher = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    # rows: |1| + |-1| = 2 and |-0.4| + |0.8| = 1.2
    assert vild_image_loss(student, teacher).item() == pytest.approx(1.6, abs=1e-6)


def test_image_loss_unit_is_the_sum_over_entries():
    # the published w = 0.5 in sum units is 256 in mean units at D = 512
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 5, 512, generator=generator).unbind()
    unit = torch.nn.functional.normalize
    mean = (unit(student, dim=1) - unit(teacher, dim=1)).abs().mean().item()
    assert 0.5 * vild_image_loss(student, teacher).item() == pytest.approx(256 * mean, rel=1e-5)


def test_image_loss_invariants():
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 6, 8, generator=generator).unbind()
    loss = vild_image_loss(student, teacher)
    order = torch.randperm(6, generator=generator)
    assert vild_image_loss(teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    assert vild_image_loss(student[order], teacher[order]).item() == pytest.approx(loss.item())
    # the same regions twice: a mean, so the batch size does not matter
    doubled = vild_image_loss(student.repeat(2, 1), teacher.repeat(2, 1))
    assert doubled.item() == pytest.approx(loss.item())
    # both sides are brought to unit norm
    assert vild_image_loss(3 * student, 0.1 * teacher).item() == pytest.approx(loss.item())


def test_image_loss_gradient_reaches_the_student_only():
    student = torch.randn(3, 4, requires_grad=True)
    teacher = torch.randn(3, 4, requires_grad=True)
    vild_image_loss(student, teacher).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None


def test_image_loss_of_no_region_keeps_the_graph():
    weight = torch.ones(4, 3, requires_grad=True)
    loss = vild_image_loss(torch.zeros(0, 4) @ weight, torch.zeros(0, 3))
    loss.backward()
    assert loss.item() == 0 and weight.grad.abs().sum() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_image_loss_of_half_precision_is_close(dtype):
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 6, 512, generator=generator).unbind()
    exact = vild_image_loss(student, teacher)
    assert vild_image_loss(student.to(dtype), teacher.to(dtype)).item() == pytest.approx(
        exact.item(), rel=1e-2
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert vild_image_loss(student, teacher).item() == pytest.approx(exact.item(), rel=1e-5)


def test_ensemble_by_hand():
    p_text = torch.tensor([[0.125, 0.125]])
    p_image = torch.tensor([[0.001, 0.001]])
    scores = ensemble_log_scores(p_text.log(), p_image.log(), torch.tensor([True, False])).exp()
    # base: (1/8)^(2/3) * (1/1000)^(1/3) = 1/4 * 1/10; novel: (1/8)^(1/3) * (1/1000)^(2/3)
    assert scores.tolist()[0] == pytest.approx([0.025, 0.005], rel=1e-5)
    fixed = ensemble_log_scores(p_text.log(), p_image.log(), None, 1 / 3).exp()
    assert fixed.tolist()[0] == pytest.approx([0.005, 0.005], rel=1e-5)


def test_ensemble_of_equal_heads_is_the_head_and_is_not_normalised():
    p = torch.tensor([[0.5, 0.2, 0.1]])
    scores = ensemble_log_scores(p.log(), p.log(), torch.tensor([True, False, True])).exp()
    assert scores.tolist()[0] == pytest.approx([0.5, 0.2, 0.1])
    assert scores.sum().item() == pytest.approx(0.8)


def test_ensemble_has_no_nan_at_vanishing_probabilities():
    log_text = torch.full((1, 2), -200.0)  # exp underflows to 0 in float32
    scores = ensemble_log_scores(log_text, log_text, torch.tensor([True, False])).exp()
    assert scores.tolist() == [[0.0, 0.0]]


def _one_region_on_rank_0(rank: int) -> tuple[float, list]:
    layer = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(layer.weight)
    model = torch.nn.parallel.DistributedDataParallel(layer)
    # rank 0 has one region, rank 1 none: no hang, and each rank's own mean is averaged
    inputs = torch.tensor([[1.0, 0.0]])[: 1 - rank]
    teacher = torch.tensor([[0.0, 1.0]])[: 1 - rank]
    loss = vild_image_loss(model(inputs), teacher)
    loss.backward()
    return loss.item(), layer.weight.grad.tolist()


def test_ranks_average_their_own_means():
    (first, grad), (second, other) = run_on_ranks(_one_region_on_rank_0)
    assert first == pytest.approx(2.0) and second == 0.0
    assert grad == other
    weight = torch.eye(2, requires_grad=True)
    single = vild_image_loss(torch.tensor([[1.0, 0.0]]) @ weight.T, torch.tensor([[0.0, 1.0]]))
    single.backward()
    assert torch.allclose(torch.tensor(grad), weight.grad / 2)
