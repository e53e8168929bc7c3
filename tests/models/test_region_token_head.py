"""Alignment token by token, against numbers worked out by hand, and in the detector."""

import math

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.region_token_head import RegionTokenHead, RegionTokenLoss
from ovdistill.vocabulary import Vocabulary

from ..batches import D, batch, build, load_config, losses_of, without_gradient

INF = math.inf


def unit(rows: int, embed_dim: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, embed_dim), dim=1)


def vocabulary(names: tuple[str, ...], novel: int, embed_dim: int, tokens: int) -> Vocabulary:
    is_base = torch.arange(len(names)) < len(names) - novel
    return Vocabulary(
        names,
        unit(len(names), embed_dim),
        is_base,
        TeacherId("test"),
        token_embeddings=unit(tokens, embed_dim),
    )


def make_head(**options) -> RegionTokenHead:
    """Classes "a b", "b" and the novel "c b"; tokens a, b, c at 0, 90 and 180 degrees; scale 2."""
    head = RegionTokenHead(2, 4, embed_dim=2, temperature=0.5, prior_bias=-1.0, **options)
    tokens = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    classes = Vocabulary(
        ("a b", "b", "c b"),
        torch.eye(2)[[0, 1, 1]],
        torch.tensor([True, True, False]),
        TeacherId("test"),
        token_embeddings=tokens,
    )
    head.set_vocabulary(classes)
    return head


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_score_is_the_mean_of_the_tokens():
    scores = make_head().eval().log_scores(torch.tensor([[0.6, 0.8]])).exp()
    # logits 2 cos - 1: 0.2 for a, 0.6 for b, -2.2 for c
    a, b, c = sigmoid(0.2), sigmoid(0.6), sigmoid(-2.2)
    assert scores.tolist()[0] == pytest.approx([(a + b) / 2, b, (c + b) / 2, 0])


def test_the_temperature_of_testing():
    logits = make_head(test_temperature=0.25).eval().align(torch.tensor([[0.6, 0.8]]))
    assert logits.tolist()[0] == pytest.approx([4 * 0.6 - 1, 4 * 0.8 - 1, -4 * 0.6 - 1])


def test_tokens_that_only_novel_classes_have_are_out_of_training():
    logits = make_head().train().align(torch.tensor([[0.6, 0.8]]))
    assert logits.tolist()[0] == pytest.approx([0.2, 0.6, -INF])


def test_loss_by_hand():
    loss = RegionTokenLoss(alpha=0.25, gamma=2.0)
    loss.set_vocabulary(vocabulary(("a b", "b", "c b"), 1, 2, 3))
    logits = torch.tensor([[math.log(3), math.log(3), -INF], [0.0, -math.log(3), -INF]])
    # region 0 is "a b": p = 3/4 twice; region 1 is background: p = 1/2 and 1/4; one is labelled
    found = 2 * 0.25 * (1 / 4) ** 2 * math.log(4 / 3)
    background = 0.75 * ((1 / 2) ** 2 * math.log(2) + (1 / 4) ** 2 * math.log(4 / 3))
    value = loss(logits, torch.tensor([0, 3]))
    assert value.item() == pytest.approx(found + background, rel=1e-5)
    weighted = loss(logits, torch.tensor([0, 3]), torch.tensor([1.0, 0.0]))
    assert weighted.item() == pytest.approx(found, rel=1e-5)
    accuracy = loss.get_accuracy(torch.tensor([[1.0, -1.0, -INF]]), torch.tensor([0]))
    assert accuracy["acc"].item() == 50


def test_no_region_keeps_the_graph():
    weight = torch.ones(2, 3, requires_grad=True)
    loss = RegionTokenLoss()
    loss.set_vocabulary(vocabulary(("a b", "b", "c b"), 1, 2, 3))
    value = loss(torch.zeros(0, 2) @ weight, torch.zeros(0, dtype=torch.long))
    value.backward()
    assert value.item() == 0 and weight.grad.abs().sum() == 0


def test_a_vocabulary_without_tokens_is_refused():
    bare = Vocabulary(("a",), torch.eye(2)[:1], torch.ones(1) > 0, TeacherId("test"))
    with pytest.raises(UserError, match="prepare.vocabulary.tokens=True"):
        RegionTokenHead(2, 2, embed_dim=2).set_vocabulary(bare)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_finite(dtype):
    head = make_head().train()
    loss = RegionTokenLoss()
    loss.set_vocabulary(vocabulary(("a b", "b", "c b"), 1, 2, 3))
    with torch.autocast("cpu", dtype=dtype):
        value = loss(head.align(head(torch.tensor([[3.0, 4.0]]))), torch.tensor([0]))
    assert value.isfinite()
    value.backward()
    assert all(p.grad.isfinite().all() for p in head.parameters() if p.grad is not None)


def test_a_token_detector_trains_and_takes_any_number_of_classes():
    head = load_config("token_r18_shapes").model.roi_head
    given = vocabulary(("red cup", "red boat", "old cup"), 1, D, 4)
    model = build("token_r18_shapes", given, roi_head=head)
    loss, _ = losses_of(model, batch())
    loss.backward()
    assert loss.isfinite()
    assert without_gradient(model) == []
    # twice as many tokens as a text tower would take in one sentence; one NMS over all of them
    many = tuple(f"word{i}" for i in range(600))
    model.set_vocabulary(vocabulary(many, 0, D, 600))
    with torch.no_grad():
        first, _ = model.eval().test_step(batch())
    assert len(first.pred_instances) == model.roi_head.test_cfg.max_per_img
    assert first.pred_instances.labels.max() >= 256
