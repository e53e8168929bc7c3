"""Alignment losses as the box heads call them: sigmoids, considered classes, federated draws."""

import math
from dataclasses import replace

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.region_word_head import RegionWordHead
from ovdistill.models.region_word_loss import (
    FocalRegionWordLoss,
    RegionWordLoss,
    SigmoidRegionWordLoss,
)
from ovdistill.vocabulary import Vocabulary

from ..batches import batch, build, load_config, losses_of, make_vocabulary, without_gradient

SIGMOID = dict(type="RegionWordHead", temperature=0.02, background=False, score="sigmoid")
INF = math.inf


def sigmoid_detector(vocabulary: Vocabulary, prior_bias=None, **loss) -> torch.nn.Module:
    head = load_config("vild_r18_shapes").model.roi_head
    head.bbox_head.cls_predictor_cfg = dict(SIGMOID, prior_bias=prior_bias)
    head.bbox_head.loss_cls = dict(type="SigmoidRegionWordLoss", **loss)
    return build("vild_r18_shapes", vocabulary, roi_head=head)


def test_background_weight_by_hand():
    logits = torch.tensor([[0.0, -INF, 0.0], [2.0, -INF, 0.0], [0.0, -INF, 1.0]])
    labels = torch.tensor([0, 2, 2])  # the first is labelled, the others are background
    terms = [math.log(2), math.log(1 + math.exp(2)), math.log(1 + math.exp(-1))]
    loss = RegionWordLoss(background_weight=0.2)
    assert loss(logits, labels).item() == pytest.approx(
        (terms[0] + 0.2 * (terms[1] + terms[2])) / 3, rel=1e-5
    )
    weights = torch.tensor([1.0, 1.0, 0.5])  # of a term that vouches for the last
    assert loss(logits, labels, weights).item() == pytest.approx(
        (terms[0] + 0.2 * (terms[1] + 0.5 * terms[2])) / 3, rel=1e-5
    )


def test_sigmoid_scores_by_hand():
    head = RegionWordHead(2, 3, 2, 0.5, background=False, score="sigmoid", prior_bias=-1.0).eval()
    head.set_vocabulary(
        Vocabulary(("a", "b"), torch.eye(2), torch.tensor([True, False]), TeacherId("test"))
    )
    scores = head.log_scores(torch.tensor([[0.6, 0.8]])).exp()
    expected = [1 / (1 + math.exp(-(c / 0.5 - 1))) for c in (0.6, 0.8)]
    assert scores.tolist()[0] == pytest.approx([*expected, 0.0])
    with pytest.raises(UserError, match="background=False"):
        RegionWordHead(2, 3, 2, score="sigmoid")


def test_columns_that_are_minus_infinity_take_no_part():
    logits = torch.tensor([[math.log(3), -INF, -INF], [0.0, -INF, -INF]])
    loss = SigmoidRegionWordLoss()(logits, torch.tensor([0, 2]))
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)


def test_the_focal_loss_of_whole_names_by_hand():
    logits = torch.tensor([[math.log(3), 0.0, -INF, -INF], [math.log(3), 0.0, -INF, -INF]])
    # row 0 is class 0: p = 3/4; row 1 is background; class 2 is novel, the last column no class
    positive = 0.25 * (1 / 4) ** 2 * math.log(4 / 3)
    negatives = [0.75 * (1 / 2) ** 2 * math.log(2), 0.75 * (3 / 4) ** 2 * math.log(4)]
    labels = torch.tensor([0, 3])
    value = FocalRegionWordLoss()(logits, labels)
    assert value.item() == pytest.approx(positive + 2 * negatives[0] + negatives[1], rel=1e-5)
    only = FocalRegionWordLoss(2.0)(logits, labels, torch.tensor([1.0, 0.0]))
    assert only.item() == pytest.approx(2 * (positive + negatives[0]), rel=1e-5)
    assert FocalRegionWordLoss(0.0)(logits, labels).item() == 0


@pytest.mark.parametrize("loss", [SigmoidRegionWordLoss(), FocalRegionWordLoss()])
def test_the_accuracy_of_sigmoids_is_that_of_labelled_rois(loss):
    """No background can be predicted: its column is -inf."""
    logits = torch.tensor([[2.0, 0.0, -INF], [2.0, 0.0, -INF], [-9.0, -9.0, -INF]])
    assert loss.get_accuracy(logits, torch.tensor([0, 1, 2]))["acc"].item() == 50
    assert loss.get_accuracy(logits, torch.tensor([0, 2, 2]))["acc"].item() == 100
    assert loss.get_accuracy(logits, torch.tensor([2, 2, 2]))["acc"].item() == 0  # none is labelled


def test_the_accuracy_of_a_softmax_is_of_the_background_too():
    logits = torch.tensor([[2.0, 0.0, 1.0], [2.0, 0.0, 3.0], [0.0, -INF, 1.0], [2.0, -INF, 1.0]])
    assert RegionWordLoss().get_accuracy(logits, torch.tensor([0, 2, 2, 2]))["acc"].item() == 75


def test_a_detector_of_focal_names_trains_every_weight():
    head = load_config("focal_r18_shapes").model.roi_head
    model = build("focal_r18_shapes", make_vocabulary(5, novel=2), roi_head=head)
    loss, _ = losses_of(model, batch())
    loss.backward()
    assert loss.isfinite() and without_gradient(model) == []


@pytest.mark.parametrize("bias", [None, -4.6])
def test_a_sigmoid_detector_trains_every_weight_and_finds_objects(bias):
    model = sigmoid_detector(make_vocabulary(7), prior_bias=bias)
    loss, _ = losses_of(model, batch())
    loss.backward()
    assert loss.isfinite()
    assert without_gradient(model) == []
    with torch.no_grad():
        (first, _) = model.eval().test_step(batch())
    assert first.pred_instances.scores.isfinite().all()
    assert len(first.pred_instances) > 0 and first.pred_instances.labels.max() < 7


def test_a_federated_loss_takes_the_counts_of_base_classes():
    plain = make_vocabulary(5, novel=2)
    counted = replace(plain, counts=(9, 4, 1, 7, 8))
    model = sigmoid_detector(counted, federated=2)
    loss = model.roi_head.bbox_head.loss_cls
    assert loss.counts.tolist() == [9, 4, 1, 0, 0]
    assert losses_of(model, batch())[0].isfinite()
    # labels 0 and 1 fill the two places: class 2, a sure mistake, takes no part
    logits = torch.tensor([[0.0, 0.0, 50.0, -INF, -INF, -INF]]).repeat(2, 1)
    value = loss(logits, torch.tensor([0, 1]))
    assert value.item() == pytest.approx(2 * math.log(2))
    model.set_vocabulary(plain)
    with pytest.raises(UserError, match="image_count"):
        losses_of(model, batch())


def test_counts_are_kept_in_the_file(tmp_path):
    plain = make_vocabulary(3)
    replace(plain, counts=(3, 2, 1)).save(tmp_path / "v")
    assert Vocabulary.load(tmp_path / "v").counts == (3, 2, 1)
    plain.save(tmp_path / "v")
    assert Vocabulary.load(tmp_path / "v").counts is None
