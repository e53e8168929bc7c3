"""Region-word alignment against numbers worked out by hand."""

import math

import pytest
import torch
from mmdet.registry import MODELS

import ovdistill.models.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config
from ovdistill.models.region_word_head import RegionWordHead
from ovdistill.models.region_word_loss import RegionWordLoss
from ovdistill.vocabulary import Vocabulary

from ..batches import make_vocabulary


def make_head(background: bool = True, **options) -> RegionWordHead:
    """Two features, two classes (the axes), background on the diagonal, temperature 0.5."""
    head = RegionWordHead(2, 3, embed_dim=2, temperature=0.5, background=background, **options)
    with torch.no_grad():
        head.project.weight.copy_(torch.eye(2))
        head.project.bias.zero_()
        if background:
            head.background.copy_(torch.tensor([[2.0, 2.0]]))
    head.set_vocabulary(
        Vocabulary(("a", "b"), torch.eye(2), torch.tensor([True, False]), TeacherId("test"))
    )
    return head


def test_embeddings_have_unit_norm():
    assert make_head()(torch.tensor([[3.0, 4.0]])).tolist()[0] == pytest.approx([0.6, 0.8])


def test_alignment_by_hand():
    logits = make_head().eval().align(torch.tensor([[0.6, 0.8]]))
    # cosines 0.6, 0.8 and (0.6 + 0.8) / sqrt 2, over the temperature
    assert logits.tolist()[0] == pytest.approx([1.2, 1.6, 2.8 / math.sqrt(2)])


def test_novel_classes_are_out_of_the_training_softmax_only():
    head = make_head().requires_grad_(False)
    embeddings = torch.tensor([[0.6, 0.8]])
    assert head.train().align(embeddings)[0, 1] == -math.inf
    assert head.eval().align(embeddings)[0, 1] == pytest.approx(1.6)


def test_a_temperature_of_testing_by_hand():
    head = make_head(test_temperature=0.25).requires_grad_(False)
    embeddings = torch.tensor([[0.6, 0.8]])
    assert head.train().align(embeddings)[0, [0, 2]].tolist() == pytest.approx(
        [1.2, 2.8 / math.sqrt(2)]
    )
    assert head.texts().temperature == 0.5  # distillation terms train
    # cosines over 0.25, twice as sharp; the background too
    scores = head.eval().log_scores(embeddings)[0].exp().tolist()
    weights = [math.exp(2.4), math.exp(3.2), math.exp(5.6 / math.sqrt(2))]
    assert scores == pytest.approx([w / sum(weights) for w in weights])


@pytest.mark.parametrize("options", [dict(test_temperature=0.0), dict(learn_temperature=True)])
def test_a_temperature_of_testing_that_cannot_be(options):
    with pytest.raises(UserError, match="test_temperature"):
        RegionWordHead(2, 3, 2, **dict(test_temperature=0.007) | options)


def test_an_oracle_trains_novel_classes():
    head = make_head(train_novel=True).train()
    assert head.align(torch.tensor([[0.6, 0.8]]))[0, 1].item() == pytest.approx(1.6)


def test_log_scores_sum_to_one_with_background_and_over_classes_without():
    embeddings = torch.tensor([[0.6, 0.8], [1.0, 0.0]])
    scores = make_head().eval().log_scores(embeddings).exp()
    assert scores.sum(dim=1).tolist() == pytest.approx([1, 1])
    scores = make_head(background=False).eval().log_scores(embeddings).exp()
    assert scores[:, :2].sum(dim=1).tolist() == pytest.approx([1, 1])
    assert scores[:, 2].tolist() == [0, 0]


def test_class_names_can_be_replaced_and_are_not_weights():
    head = make_head().eval()
    assert set(head.state_dict()) == {"background", "project.weight", "project.bias"}
    other = Vocabulary(
        ("b", "a", "c"), torch.eye(2)[[1, 0, 1]], torch.ones(3) > 0, TeacherId("test")
    )
    head.set_vocabulary(other)
    logits = head.align(torch.tensor([[0.6, 0.8]]))
    assert logits[0, :3].tolist() == pytest.approx([1.6, 1.2, 1.6])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_keeps_the_alignment_in_float32(dtype):
    head = make_head()
    features = torch.tensor([[3.0, 4.0]])
    with torch.autocast("cpu", dtype=dtype):
        logits = head.align(head(features))
        loss = RegionWordLoss()(logits, torch.tensor([0]))
    assert logits.dtype == torch.float32
    assert loss.isfinite()
    loss.backward()
    assert all(p.grad.isfinite().all() for p in head.parameters())


def test_background_learns():
    head = make_head()
    loss = RegionWordLoss()(head.align(head(torch.tensor([[3.0, 4.0]]))), torch.tensor([2]))
    loss.backward()
    # cross-entropy of two columns (class 0 and background): -log sigmoid(z_bg - z_0)
    expected = math.log1p(math.exp(1.2 - 2.8 / math.sqrt(2)))
    assert loss.item() == pytest.approx(expected, abs=1e-6)
    assert head.background.grad.abs().sum() > 0


def test_the_temperature_can_be_learned():
    head = make_head(learn_temperature=True)
    assert "scale" in head.state_dict() and "scale" not in make_head().state_dict()
    embeddings = torch.tensor([[0.6, 0.8]])
    RegionWordLoss()(head.align(embeddings), torch.tensor([0])).backward()
    # d/ds of -log softmax(s c)_0 = sum_i p_i c_i - c_0, over class 0 and the background
    cosines = torch.tensor([0.6, 1.4 / math.sqrt(2)])
    expected = ((2 * cosines).softmax(0) * cosines).sum() - 0.6
    assert head.scale.grad.item() == pytest.approx(expected.item(), abs=1e-6)
    seen = head.texts().temperature
    assert seen.item() == pytest.approx(0.5) and not seen.requires_grad
    assert make_head().texts().temperature == 0.5


def test_loss_of_weight_zero_keeps_the_graph():
    head = make_head(background=False)
    loss = RegionWordLoss(loss_weight=0)(head.align(head(torch.ones(1, 2))), torch.tensor([2]))
    loss.backward()
    assert loss.item() == 0
    assert head.project.weight.grad.abs().sum() == 0


@pytest.mark.parametrize(
    ("head", "loss", "fits"),
    [
        (dict(), dict(type="RegionWordLoss"), True),
        (dict(background=False), dict(type="RegionWordLoss"), False),  # inf at the first RoI
        (dict(background=False), dict(type="RegionWordLoss", loss_weight=0), True),  # ViLD-image
        (dict(), dict(type="FocalRegionWordLoss"), False),
        (dict(score="sigmoid", background=False), dict(type="SigmoidRegionWordLoss"), True),
        (dict(score="sigmoid", background=False), dict(type="RegionWordLoss"), False),
    ],
)
def test_a_loss_belongs_to_the_scores_of_its_head(head, loss, fits):
    model = load_config("vild_r18_shapes").model
    model["vocabulary"] = make_vocabulary(3)
    bbox_head = model.roi_head.bbox_head
    bbox_head.cls_predictor_cfg.update(head)
    bbox_head.loss_cls = loss
    if fits:
        MODELS.build(model)
        return
    with pytest.raises(UserError, match=f"loss_cls is {loss['type']}, fc_cls is RegionWordHead"):
        MODELS.build(model)


def test_a_dense_loss_is_not_of_rois():
    model = load_config("vild_r18_shapes").model
    model["vocabulary"] = make_vocabulary(3)
    model.roi_head.bbox_head.loss_cls = dict(type="DenseRegionWordLoss")
    with pytest.raises(UserError, match="loss_cls is DenseRegionWordLoss; expected RegionWordLoss"):
        MODELS.build(model)
