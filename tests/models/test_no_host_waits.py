"""A training step asks a GPU for no value: what this package adds to mmdet runs ahead of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.batches import batch, build, losses_of, make_vocabulary
from tests.host_waits import HostWaits
from tests.segmentation import small

DETECTORS = (
    "vild", "vild_image", "vild_ensemble", "hierkd", "hierkd_atss", "rkd", "rkd_pseudo", "vouch",
    "ovdistill", "focal",
)  # fmt: skip


@pytest.mark.parametrize("recipe", DETECTORS)
def test_detectors(recipe: str) -> None:
    model, data = build(f"{recipe}_r18_shapes", make_vocabulary(6)), batch()
    with HostWaits() as waits:
        loss, _ = losses_of(model, data)
        loss.backward()
    assert not waits.found


@pytest.mark.parametrize(
    "term",
    [
        dict(type="PixelWordTerm"),
        dict(type="PixelEmbeddingTerm"),
        dict(type="PseudoLabelTerm", self_training_after=5),
    ],
)
def test_segmentors(term: dict[str, Any]) -> None:
    model = small.build(make_vocabulary(6), distillers=[term])
    model.set_dense_teacher(small.dense_teacher())
    losses_of(model, small.labelled_batch())  # at first a term may read what a checkpoint holds
    data = small.labelled_batch()
    with HostWaits() as waits:
        loss, _ = losses_of(model, data)
        loss.backward()
    assert not waits.found


def test_waiting_is_seen() -> None:
    model, data = build("vild_r18_shapes", make_vocabulary(6)).eval(), batch()
    scores = torch.rand(4)
    with HostWaits() as waits, torch.no_grad():
        assert scores[scores > 2].sum() == 0  # asked for here, not by the package
        assert not waits.found
        model.test_step(data)  # how many boxes are kept is a value
    assert waits.found
