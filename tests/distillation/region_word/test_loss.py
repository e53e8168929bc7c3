"""Sigmoid, focal, token and phrase alignment against numbers worked out by hand."""

import math

import pytest
import torch

from ovdistill.distillation.region_word.loss import (
    federated_classes,
    focal_loss,
    merge_tokens,
    phrase_region_loss,
    sigmoid_loss,
)

from ..ranks import run_on_ranks

LN2, LN3 = math.log(2), math.log(3)
BOTH = torch.tensor([True, True])


def test_sigmoid_loss_by_hand():
    logits = torch.tensor([[LN3, 0.0], [0.0, LN3]])
    labels = torch.tensor([0, 2])  # the second is background
    # row 0: ln(4/3) + ln 2; row 1: ln 2 + ln 4
    expected = (math.log(4 / 3) + LN2 + LN2 + math.log(4)) / 2
    assert sigmoid_loss(logits, labels, BOTH).item() == pytest.approx(expected)
    first = torch.tensor([True, False])
    assert sigmoid_loss(logits, labels, first).item() == pytest.approx((math.log(4 / 3) + LN2) / 2)
    weighted = sigmoid_loss(logits, labels, BOTH, torch.tensor([1.0, 0.0]))
    assert weighted.item() == pytest.approx(math.log(4 / 3) + LN2)


def test_a_class_that_is_not_considered_gets_no_gradient():
    logits = torch.randn(3, 2, requires_grad=True)
    labels = torch.tensor([0, 2, 0])
    considered = torch.tensor([True, False])
    targets = torch.nn.functional.one_hot(labels, 3)[:, :2]
    loss = sigmoid_loss(logits, labels, considered) + focal_loss(logits, targets, considered)
    loss.backward()
    assert (logits.grad[:, 1] == 0).all() and (logits.grad[:, 0] != 0).all()


def test_focal_loss_by_hand():
    logits = torch.tensor([[0.0, LN3], [0.0, 0.0]])
    targets = torch.tensor([[1, 1], [0, 0]])
    # positives: 1/4 * (1/2)^2 * ln 2, 1/4 * (1/4)^2 * ln(4/3); negatives: 3/4 * 1/4 * ln 2, twice
    expected = 0.25 * 0.25 * LN2 + 0.25 / 16 * math.log(4 / 3) + 2 * 0.75 * 0.25 * LN2
    assert focal_loss(logits, targets, BOTH).item() == pytest.approx(expected)


def test_focal_loss_divides_by_regions_with_a_target():
    logits, targets = torch.randn(3, 2), torch.tensor([[1, 1], [0, 1], [0, 0]])
    loss = focal_loss(logits, targets, BOTH).item()
    doubled = focal_loss(logits.repeat(2, 1), targets.repeat(2, 1), BOTH).item()
    assert doubled == pytest.approx(loss)
    # gamma 0 and alpha 1/2 are half of plain cross-entropy
    plain = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, targets.float(), reduction="sum"
    )
    assert focal_loss(logits, targets, BOTH, 0.5, 0.0).item() == pytest.approx(plain.item() / 4)


def test_tokens_merge_by_the_mean_of_their_sigmoids():
    p = torch.tensor([[0.2, 0.6, 0.9]])
    owned = torch.tensor([[True, True, False], [False, False, True], [False, False, False]])
    assert merge_tokens(p, owned).tolist()[0] == pytest.approx([0.4, 0.9, 0.0])


def test_federated_classes():
    counts = torch.tensor([100.0, 1.0, 0.0, 25.0, 4.0])
    labels = torch.tensor([1, 5, 1])
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([federated_classes(labels, counts, 2, generator) for _ in range(3000)])
    assert draws[:, 1].all()  # of the batch
    assert not draws[:, 2].any()  # never seen in training
    assert (draws.sum(1) == 2).all()
    # one more is drawn with sqrt(count): 10, 5 and 2 of 17
    shares = draws.float().mean(0)[[0, 3, 4]].tolist()
    assert shares == pytest.approx([10 / 17, 5 / 17, 2 / 17], abs=0.03)
    everything = federated_classes(torch.tensor([0, 1, 3, 4]), counts, 2)
    assert everything.tolist() == [True, True, False, True, True]


def test_phrase_region_loss_by_hand():
    x, y = [1.0, 0.0], [0.0, 1.0]
    regions = torch.tensor([x, [0.6, 0.8], y])
    image = torch.tensor([0, 0, 1])
    # phrase x of image 0: best 1 there, 0 in image 1; phrase y of image 0: best 0.8, 1 in image 1
    loss = phrase_region_loss(
        regions, image, torch.tensor([x, y]), torch.tensor([0, 0]), images=2, scale=2.0
    )
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(0.4))) / 2
    assert loss.item() == pytest.approx(expected)
    # image 2 has no region: it is neither a negative, nor has its own phrase a loss
    loss = phrase_region_loss(
        regions, image, torch.tensor([x, y, y]), torch.tensor([0, 0, 2]), images=3, scale=2.0
    )
    assert loss.item() == pytest.approx(expected)


def test_phrase_region_loss_teaches_the_student_only():
    regions = torch.randn(4, 3, requires_grad=True)
    phrases = torch.randn(2, 3, requires_grad=True)
    image = torch.tensor([0, 0, 1, 1])
    phrase_region_loss(regions, image, phrases, torch.tensor([0, 1]), 2, 10.0).backward()
    assert regions.grad.abs().sum() > 0 and phrases.grad is None


@pytest.mark.parametrize(("rows", "phrases"), [(0, 2), (3, 0), (0, 0)])
def test_nothing_keeps_the_graph(rows, phrases):
    weight = torch.ones(4, 3, requires_grad=True)
    regions = torch.ones(rows, 4) @ weight
    index = torch.zeros(rows, dtype=torch.long)
    loss = phrase_region_loss(
        regions, index, torch.ones(phrases, 3), torch.zeros(phrases, dtype=torch.long), 2, 10.0
    )
    none = torch.zeros(0, 4) @ weight
    loss = loss + sigmoid_loss(none, torch.zeros(0, dtype=torch.long), torch.ones(3).bool())
    loss = loss + focal_loss(none, torch.zeros(0, 3), torch.ones(3).bool())
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6) and weight.grad.abs().sum() < 1e-5


def four() -> dict[str, torch.Tensor]:
    """Four regions and phrases of two images, three classes, on a generator of its own."""
    generator = torch.Generator().manual_seed(0)
    return dict(
        regions=torch.randn(4, 5, generator=generator),
        image=torch.tensor([0, 0, 1, 1]),
        phrases=torch.randn(4, 5, generator=generator),
        logits=4 * torch.randn(4, 3, generator=generator),
        labels=torch.tensor([0, 2, 3, 1]),
    )


def values(regions, image, phrases, logits, labels) -> list[torch.Tensor]:
    targets = torch.nn.functional.one_hot(labels, 4)[:, :-1]
    everything = torch.ones(3, dtype=torch.bool)
    return [
        phrase_region_loss(regions, image, phrases, image, int(image.max()) + 1, 10.0),
        sigmoid_loss(logits, labels, everything),
        focal_loss(logits, targets, everything),
    ]


def test_order_and_copies_of_the_regions_change_nothing():
    given = four()
    expected = [loss.item() for loss in values(**given)]
    order = torch.tensor([2, 0, 3, 1])
    shuffled = {name: value[order] for name, value in given.items()}
    assert [loss.item() for loss in values(**shuffled)] == pytest.approx(expected, rel=1e-5)
    doubled = {name: value.repeat_interleave(2, 0) for name, value in given.items()}
    assert [loss.item() for loss in values(**doubled)] == pytest.approx(expected, rel=1e-5)
    scaled = given | dict(regions=3 * given["regions"], phrases=0.2 * given["phrases"])
    assert values(**scaled)[0].item() == pytest.approx(expected[0], rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close_and_finite(dtype):
    given = four()
    exact = [loss.item() for loss in values(**given)]
    half = {name: v.to(dtype) if v.is_floating_point() else v for name, v in given.items()}
    with torch.autocast("cpu", dtype=dtype):
        found = values(**half)
    assert [loss.item() for loss in found] == pytest.approx(exact, rel=3e-2)


def _one_image_of_two(rank: int) -> list[float]:
    given = four()
    own = given["image"] == rank
    part = {name: value[own] for name, value in given.items()}
    return [loss.item() for loss in values(**part | dict(image=part["image"] - rank))]


def test_ranks_average_their_own_means():
    found = run_on_ranks(_one_image_of_two)
    mean = [sum(pair) / 2 for pair in zip(*found, strict=True)]
    # every rank has one image to tell its phrases from: nothing to learn, as documented
    assert mean[0] == pytest.approx(0, abs=1e-6)
    whole = values(**four())
    # as many regions on each rank: the sigmoids' mean is that of the batch; the focal loss is
    # over a rank's own positive regions, two and one of them
    assert mean[1] == pytest.approx(whole[1].item(), rel=1e-5)
    given = four()
    targets = torch.nn.functional.one_hot(given["labels"], 4)[:, :-1]
    sums = [
        focal_loss(given["logits"][own], targets[own], torch.ones(3) > 0).item()
        for own in (slice(0, 2), slice(2, 4))
    ]
    assert mean[2] == pytest.approx(sum(sums) / 2, rel=1e-5)
