"""What every objective has to do, on toy batches with small real towers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.objective import Objective
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers
from ovdistill.teacher_training.registry import build_objective

from .toys import losses_of, small_towers, toy_batch, without_boxes

SMALL = dict(width=32, layers=1, heads=2)
VARIANTS: dict[str, dict[str, Any]] = {
    "image_contrastive": dict(type="ImageContrastive", hidden=32),
    "image_queue": dict(type="ImageContrastive", queue=8),
    "masked_image": dict(type="MaskedImage", square=16),
    "masked_language": dict(type="MaskedLanguage"),
    "masked_cross_modal": dict(type="MaskedCrossModal", square=16, **SMALL),
    "matching_hard": dict(type="ImageTextMatching", **SMALL),
    "matching_shuffled": dict(type="ImageTextMatching", negatives="shuffled", **SMALL),
    "region_word_focal": dict(type="RegionWord"),
    "region_word_sigmoid": dict(type="RegionWord", loss="sigmoid"),
}
# the towers that each objective trains
TOWERS = {
    "image_contrastive": {"image"},
    "image_queue": {"image"},
    "masked_image": {"image"},
    "masked_language": {"text"},
}
STEPS = 40


def _build(name: str, kind: str = "vit") -> tuple[Objective, OpenCLIPTowers]:
    torch.manual_seed(0)
    towers = small_towers(kind)
    objective = build_objective(VARIANTS[name])
    objective.set_towers(towers)
    return objective, towers


def _total(losses: dict[str, Tensor]) -> Tensor:
    assert losses and all(name.startswith("loss_") for name in losses)
    assert all(loss.ndim == 0 for loss in losses.values())
    return torch.stack([*losses.values()]).sum()


@pytest.mark.parametrize("name", VARIANTS)
def test_training_lowers_the_loss(name: str) -> None:
    objective, towers = _build(name)
    parameters = [*towers.model.parameters(), *objective.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    batch = toy_batch(towers)
    before = _measure(objective, towers, batch)
    for _ in range(STEPS):
        _total(losses_of(objective, towers, batch)).backward()
        optimizer.step()
        optimizer.zero_grad()
    if name == "image_queue":  # the loss grows with the number of keys
        objective.keys.zero_()
    assert _measure(objective, towers, batch) < 0.7 * before


@torch.no_grad()
def _measure(objective: Objective, towers: OpenCLIPTowers, batch: TrainingBatch) -> float:
    torch.manual_seed(1)
    objective.eval()
    total = sum(_total(losses_of(objective, towers, batch)).item() for _ in range(4))
    objective.train()
    return total


@pytest.mark.parametrize("kind", ["vit", "resnet"])
@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_the_towers_that_it_trains(name: str, kind: str) -> None:
    objective, towers = _build(name, kind)
    _total(losses_of(objective, towers, toy_batch(towers))).backward()
    assert _trained(towers.model) == TOWERS.get(name, {"image", "text"})
    assert all(p.grad is not None and p.grad.isfinite().all() for p in objective.parameters())


def _trained(model: nn.Module) -> set[str]:
    """The towers with a gradient, see ``TOWERS``."""
    moved = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    return {"image" if name.startswith("visual.") else "text" for name in moved}


@pytest.mark.parametrize("name", VARIANTS)
def test_its_layers_are_not_in_the_teacher(name: str) -> None:
    torch.manual_seed(0)
    before = small_towers("vit").model.state_dict().keys()
    _, towers = _build(name)
    assert towers.model.state_dict().keys() == before


@pytest.mark.parametrize("name", VARIANTS)
def test_a_seed_makes_the_loss_the_same(name: str) -> None:
    found = []
    for seed in (3, 3):
        objective, towers = _build(name)
        torch.manual_seed(seed)
        found.append(_total(losses_of(objective, towers, toy_batch(towers))).item())
    assert found[0] == found[1]


@pytest.mark.parametrize("name", VARIANTS)
def test_bfloat16_comes_near_to_float32(name: str) -> None:
    objective, towers = _build(name)
    objective.eval()
    found = []
    for enabled in (False, True):
        torch.manual_seed(3)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = _total(losses_of(objective, towers, toy_batch(towers)))
        assert loss.dtype == torch.float32
        found.append(loss.item())
    loss.backward()
    assert found[1] == pytest.approx(found[0], rel=0.03)


@pytest.mark.parametrize("name", ["region_word_focal", "region_word_sigmoid"])
@pytest.mark.parametrize("given", [True, False])
def test_no_boxes_keep_the_graph(name: str, given: bool) -> None:
    objective, towers = _build(name)
    batch = without_boxes(toy_batch(towers))
    batch = batch if given else replace(batch, boxes=None)
    loss = _total(losses_of(objective, towers, batch))
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is None or not p.grad.any() for p in towers.model.parameters())
    assert towers.model.visual.conv1.weight.grad is not None
    assert towers.model.token_embedding.weight.grad is not None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(type="ImageContrastive", temperature=0), "temperature 0"),
        (dict(type="ImageContrastive", queue=-1), "queue -1"),
        (dict(type="ImageContrastive", hidden=0), "hidden 0"),
        (dict(type="ImageContrastive", hidden=32.0), "hidden is 32.0; expected a whole number"),
        (dict(type="MaskedImage", ratio=0), "ratio 0"),
        (dict(type="MaskedImage", square=65), "squares of 65"),
        (dict(type="MaskedLanguage", share=1.5), "share of 1.5"),
        (dict(type="MaskedCrossModal", image_weight=-1), "image_weight -1"),
        (dict(type="MaskedCrossModal", width=30), "width 30"),
        (dict(type="ImageTextMatching", negatives="soft"), "'soft'.*hard, shuffled"),
        (dict(type="ImageTextMatching", temperature=-1), "temperature -1"),
        (dict(type="RegionWord", loss="softmax"), "'softmax'.*focal, sigmoid"),
        (dict(type="RegionWord", scale=0), "scale 0"),
    ],
)
def test_bad_options(options: dict[str, Any], match: str) -> None:
    with pytest.raises(UserError, match=match):
        build_objective(options).set_towers(small_towers("vit"))


@pytest.mark.parametrize("name", VARIANTS)
def test_no_value_is_waited_for(name: str) -> None:
    objective, towers = _build(name)
    batch = toy_batch(towers)
    # a fake tensor has a shape and no values: reading one, for which a GPU would have to be
    # waited for, is an error
    with FakeTensorMode(allow_non_fake_inputs=True):
        losses = losses_of(objective, towers, batch)
        assert all(loss.shape == () for loss in losses.values())
        with pytest.raises(DataDependentOutputException):
            _total(losses).item()
