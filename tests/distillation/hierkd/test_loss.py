"""HierKD's formulas against numbers worked out by hand, and their invariants."""

import math

import pytest
import torch

from ovdistill.distillation.hierkd.loss import attend, caption_loss, instance_loss, phrase_loss

from ..ranks import run_on_ranks

X, Y = [1.0, 0.0], [0.0, 1.0]
ALL = torch.tensor([True, True])


def test_instance_loss_by_hand():
    student = torch.tensor([X, [0.6, 0.8]])
    teacher = torch.tensor([Y, X])
    # L2: sqrt(2) and sqrt(0.16 + 0.64); L1: 2 and 1.2
    expected = (math.sqrt(2) + math.sqrt(0.8)) / 2
    assert instance_loss(student, teacher, ALL).item() == pytest.approx(expected)
    assert instance_loss(student, teacher, ALL, norm=1).item() == pytest.approx(1.6)
    # on levels 0 and 2 of four: the mean over all levels, two of which have nothing
    levels = instance_loss(student, teacher, ALL, 2, torch.tensor([0, 2]), 4)
    assert levels.item() == pytest.approx((math.sqrt(2) + math.sqrt(0.8)) / 4)
    same = instance_loss(student, teacher, ALL, 2, torch.tensor([2, 2]), 4)
    assert same.item() == pytest.approx(expected / 4)
    second = torch.tensor([False, True])
    assert instance_loss(student, teacher, second).item() == pytest.approx(math.sqrt(0.8))


def test_instance_loss_of_equal_sides_is_zero_with_a_finite_gradient():
    student = torch.tensor([X, Y], requires_grad=True)
    loss = instance_loss(student, student.detach().clone(), ALL)
    loss.backward()
    assert loss.item() == 0 and student.grad.isfinite().all()


def test_instance_loss_of_nothing_keeps_the_graph():
    weight = torch.ones(2, 2, requires_grad=True)
    for rows, kept in ((2, torch.tensor([False, False])), (0, torch.zeros(0, dtype=torch.bool))):
        loss = instance_loss(torch.ones(rows, 2) @ weight, torch.ones(rows, 2), kept)
        loss.backward()
        assert loss.item() == 0 and weight.grad.abs().sum() == 0


def test_attention_by_hand():
    patches = torch.tensor([[X, Y]])
    # similarities 1 and 0: softmax e / (e + 1) and 1 / (e + 1), then unit norm
    expected = torch.tensor([math.e, 1.0]) / math.hypot(math.e, 1)
    assert torch.allclose(attend(patches, torch.tensor([X]))[0, 0], expected)


def test_caption_loss_by_hand():
    # one patch an image: what is seen is that patch; similarities [[1, 0], [0, 1]] times 2
    patches, captions = torch.tensor([[X], [Y]]), torch.tensor([X, Y])
    each = math.log(1 + math.exp(-2))
    assert caption_loss(patches, captions, 2.0).item() == pytest.approx(2 * each)
    # rows and columns differ: captions X and X against patches X and Y
    captions = torch.tensor([X, X])
    rows = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))) / 2
    assert caption_loss(patches, captions, 2.0).item() == pytest.approx(rows + math.log(2))


def test_caption_loss_of_one_image_is_zero():
    loss = caption_loss(torch.randn(1, 5, 4), torch.randn(1, 4), 10.0)
    assert loss.item() == pytest.approx(0, abs=1e-6)


def test_caption_loss_is_invariant_to_order_and_norm():
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(3, 5, 4, generator=generator)
    captions = torch.randn(3, 4, generator=generator)
    loss = caption_loss(patches, captions, 10.0).item()
    order = torch.tensor([2, 0, 1])
    assert caption_loss(patches[order], captions[order], 10.0).item() == pytest.approx(loss)
    assert caption_loss(patches[:, [4, 3, 2, 1, 0]], captions, 10.0).item() == pytest.approx(loss)
    assert caption_loss(3 * patches, 0.2 * captions, 10.0).item() == pytest.approx(loss, rel=1e-5)


def test_global_losses_teach_the_student_and_the_scale_only():
    patches = torch.randn(3, 5, 4, requires_grad=True)
    texts = torch.randn(3, 4, requires_grad=True)
    scale = torch.tensor(10.0, requires_grad=True)
    loss = caption_loss(patches, texts, scale)
    loss = loss + phrase_loss(patches, texts, torch.tensor([0, 0, 2]), scale)
    loss.backward()
    assert patches.grad.abs().sum() > 0 and scale.grad.abs() > 0 and texts.grad is None


def test_phrase_loss_by_hand():
    patches = torch.tensor([[X], [Y]])
    phrases = torch.tensor([X, Y, Y])
    # image 0 has X (right, ln(1 + e^-2)) and Y (wrong, ln(1 + e^2)); image 1 has Y (right)
    right, wrong = math.log(1 + math.exp(-2)), math.log(1 + math.exp(2))
    expected = 2 * ((right + wrong) / 2 + right) / 2
    loss = phrase_loss(patches, phrases, torch.tensor([0, 0, 1]), 2.0)
    assert loss.item() == pytest.approx(expected)
    # an image without a phrase is only a negative for the others
    loss = phrase_loss(patches, phrases[2:], torch.tensor([1]), 2.0)
    assert loss.item() == pytest.approx(2 * right)


def test_phrase_loss_of_no_phrase_keeps_the_graph():
    patches = torch.randn(2, 3, 4, requires_grad=True)
    loss = phrase_loss(patches, torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), 10.0)
    loss.backward()
    assert loss.item() == 0 and patches.grad.abs().sum() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close_and_finite(dtype):
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(4, 9, 512, generator=generator)
    texts = torch.randn(4, 512, generator=generator)
    kept = torch.ones(4, dtype=torch.bool)
    exact = caption_loss(patches, texts, 10.0), instance_loss(patches[:, 0], texts, kept)
    with torch.autocast("cpu", dtype=dtype):
        half = caption_loss(patches.to(dtype), texts.to(dtype), 10.0)
        distance = instance_loss(patches[:, 0].to(dtype), texts.to(dtype), kept)
    assert half.item() == pytest.approx(exact[0].item(), rel=2e-2)
    assert distance.item() == pytest.approx(exact[1].item(), rel=2e-2)


def _batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 5, generator=generator), torch.randn(4, 5, generator=generator)


def _two_of_four(rank: int) -> tuple:
    patches, captions = _batch()
    own = slice(2 * rank, 2 * rank + 2)
    values = []
    for gather in (False, True):
        part = patches[own].clone().requires_grad_()
        loss = caption_loss(part, captions[own], 10.0, gather=gather)
        loss.backward()
        values.append((loss.item(), part.grad.tolist()))
    return tuple(values)


def test_ranks_contrast_their_own_images_or_gather_all():
    patches, captions = _batch()
    patches.requires_grad_()
    whole = caption_loss(patches, captions, 10.0)
    whole.backward()
    found = run_on_ranks(_two_of_four)
    for rank, (own, _) in enumerate(found):
        part = slice(2 * rank, 2 * rank + 2)
        assert own[0] == pytest.approx(caption_loss(patches[part], captions[part], 10.0).item())
    gathered = [rank[1] for rank in found]
    assert sum(loss for loss, _ in gathered) / 2 == pytest.approx(whole.item(), rel=1e-5)
    # gradients of the mean over ranks, as DDP averages them
    grad = torch.tensor([row for _, rows in gathered for row in rows]) / 2
    assert torch.allclose(grad, patches.grad, atol=1e-6)


PHRASE_INDEX = torch.tensor([0, 0, 1, 2, 3, 3])


def _phrases_of_two(rank: int) -> tuple[float, list]:
    patches, _ = _batch()
    phrases = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    own = PHRASE_INDEX // 2 == rank
    part = patches[2 * rank : 2 * rank + 2].clone().requires_grad_()
    loss = phrase_loss(part, phrases[own], PHRASE_INDEX[own] - 2 * rank, 10.0, gather=True)
    loss.backward()
    return loss.item(), part.grad.tolist()


def test_phrases_may_be_told_from_the_images_of_all_ranks():
    patches, _ = _batch()
    patches.requires_grad_()
    phrases = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    whole = phrase_loss(patches, phrases, PHRASE_INDEX, 10.0)
    whole.backward()
    found = run_on_ranks(_phrases_of_two)
    assert sum(loss for loss, _ in found) / 2 == pytest.approx(whole.item(), rel=1e-5)
    grad = torch.tensor([row for _, rows in found for row in rows]) / 2
    assert torch.allclose(grad, patches.grad, atol=1e-6)
