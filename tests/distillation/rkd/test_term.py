"""RKD's terms on inputs made by hand."""

import math

import pytest
import torch

from ovdistill.distillation.batch import Captions, DistillInputs, DistillRegions
from ovdistill.distillation.rkd.loss import point_loss, pseudo_label_loss
from ovdistill.distillation.rkd.term import RKDPseudoLabelTerm, RKDTerm

X, Y = [1.0, 0.0], [0.0, 1.0]


def inputs_of(
    student, teacher, image, phrases=(), phrase_image=(), *, image_level=False
) -> DistillInputs:
    student, teacher = torch.tensor(student), torch.tensor(teacher)
    blank = torch.zeros(len(student))
    regions = DistillRegions(
        student, teacher, torch.zeros(len(student), 4), blank, torch.tensor(image), blank
    )
    index = torch.tensor(phrase_image, dtype=torch.long)
    captions = Captions(torch.zeros(2, 2), torch.tensor(phrases).reshape(-1, 2), index)
    return DistillInputs(2, None, (), None, regions, captions, image_level)


def test_released_losses_are_a_hundred_times_the_mean():
    inputs = inputs_of([X, [0.6, 0.8]], [X, Y], [0, 0])
    released = RKDTerm("released", point_weight=0.1)(inputs)
    point = point_loss(inputs.regions.student, inputs.regions.teacher, "mean")
    assert released["loss_rkd_point"].item() == pytest.approx(10 * point.item())
    assert set(RKDTerm(point_weight=0)(inputs)) == {"loss_rkd_relation"}
    assert set(RKDTerm(relation_weight=0)(inputs)) == {"loss_rkd_point"}


def test_a_phrase_labels_the_best_region_of_its_own_image():
    # the phrase Y of image 0: region 1 of the teacher is best there; region 2 is of image 1
    inputs = inputs_of([X, X, Y], [X, [0.6, 0.8], Y], [0, 0, 1], [Y], [0])
    loss = RKDPseudoLabelTerm(loss_weight=1.0, scale=2.0)(inputs)["loss_rkd_pseudo"]
    one, first = torch.ones(1, 1), torch.zeros(1, dtype=torch.long)
    expected = pseudo_label_loss(2 * torch.tensor([[0.0]]), one, one[0] > 0, first, images=2)
    assert loss.item() == pytest.approx(expected.item())
    strict = RKDPseudoLabelTerm(min_similarity=0.9)(inputs)["loss_rkd_pseudo"]
    assert strict.item() == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_pseudo_labels_under_autocast(dtype):
    torch.manual_seed(0)
    regions, phrases = (
        torch.nn.functional.normalize(torch.randn(count, 32), dim=1) for count in (6, 4)
    )
    blank, images = torch.zeros(6), torch.tensor([0, 0, 0, 1, 1, 1])
    found = DistillRegions(regions, regions, torch.zeros(6, 4), blank, images, blank)
    captions = Captions(torch.zeros(2, 32), phrases, torch.tensor([0, 0, 1, 1]))
    inputs = DistillInputs(2, None, (), None, found, captions, False)
    term = RKDPseudoLabelTerm(min_similarity=-1.5)
    exact = term(inputs)["loss_rkd_pseudo"].item()
    with torch.autocast("cpu", dtype):
        assert term(inputs)["loss_rkd_pseudo"].item() == pytest.approx(exact, rel=1e-4)


def test_a_phrase_labels_no_region_of_another_image():
    inputs = inputs_of([X], [X], [0], [Y], [1])
    for least in (-1.5, -2.0, -math.inf):
        assert RKDPseudoLabelTerm(min_similarity=least)(inputs)["loss_rkd_pseudo"] == 0


def test_a_learned_bias_is_added_to_every_logit():
    term = RKDPseudoLabelTerm(loss_weight=1.0, scale=2.0, prior_bias=-4.6)
    loss = term(inputs_of([X], [[0.6, 0.8]], [0], [Y], [0]))["loss_rkd_pseudo"]
    loss.backward()
    # -log sigmoid(0 - 4.6), one label of two images
    assert loss.item() == pytest.approx(math.log(1 + math.exp(4.6)) / 2)
    assert term.bias.grad.item() == pytest.approx(-1 / (1 + math.exp(-4.6)) / 2)
    term.zero_grad()
    term(inputs_of([X], [X], [0]))["loss_rkd_pseudo"].backward()
    assert term.bias.grad.item() == 0  # there without a phrase too


def test_only_images_without_boxes_on_request():
    term = RKDPseudoLabelTerm(min_similarity=-2, only_image_level=True)
    for image_level in (False, True):
        inputs = inputs_of([X], [X], [0], [Y], [0], image_level=image_level)
        assert (term(inputs)["loss_rkd_pseudo"].item() > 0) == image_level


def test_equal_phrases_are_one_class():
    once = RKDPseudoLabelTerm(min_similarity=-2)(inputs_of([X], [X], [0], [Y], [0]))
    twice = RKDPseudoLabelTerm(min_similarity=-2)(inputs_of([X], [X], [0], [Y, Y], [0, 0]))
    assert twice["loss_rkd_pseudo"].item() == pytest.approx(once["loss_rkd_pseudo"].item())
