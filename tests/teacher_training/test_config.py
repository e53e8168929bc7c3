"""What a config must hold, before anything is built."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.batch import PairEmbeddings
from ovdistill.teacher_training.config import TeacherTraining
from ovdistill.teacher_training.objective import EmbeddingObjective
from ovdistill.teacher_training.registry import OBJECTIVES
from ovdistill.teacher_training.settings import TrainingSettings

from . import tiny


def test_an_objective_that_needs_boxes_from_a_source_without(tmp_path, monkeypatch) -> None:
    class OfBoxes(EmbeddingObjective):
        needs: ClassVar[tuple[str, ...]] = ("images", "boxes")

        def forward(self, embeddings: PairEmbeddings) -> dict[str, Tensor]:
            return {}

    monkeypatch.setitem(OBJECTIVES, "OfBoxes", OfBoxes)
    tiny.write_pairs(tmp_path)
    config = tiny.config(tmp_path)
    config["objectives"] = [dict(type="OfBoxes")]
    with pytest.raises(UserError, match="OfBoxes needs boxes; the data have images, texts, views"):
        TeacherTraining.build(config)


def test_one_objective_and_one_source_need_no_list(tmp_path) -> None:
    tiny.write_pairs(tmp_path)
    config = tiny.config(tmp_path)
    single = dict(config, objectives=config["objectives"][0], data=config["data"][0])
    training = TeacherTraining.build(single)
    assert training.needs == {"images", "texts"} and training.held_out is None
    assert training.teacher.name == "tiny"


@pytest.mark.parametrize(
    ("training", "match"),
    [
        (3, "training is 3; expected dict"),
        (dict(steps=None, batch=4), "training.steps is None"),
        (dict(steps=4, batch=4, keep_checkpoints=None), "keep_checkpoints is None"),
        (dict(steps=4, batch=4, learning_rate=None), "learning_rate is None"),
        (dict(steps=4, batch=4, weight_decay=-1), "weight_decay is -1"),
        (dict(steps=4, batch=4, weight_decay="a"), "weight_decay is 'a'"),
        (dict(steps=4, batch=4, betas=0.9), "betas is 0.9"),
        (dict(steps=4, batch=4, betas=[0.9]), "betas is"),
        (dict(steps=4, batch=4, betas=[0.9, 1.5]), "betas is"),
        (dict(steps=4, batch=4, betas=None), "betas is None"),
        (dict(steps=4, batch=4, weight_decay=float("nan")), "weight_decay is nan"),
        (dict(steps=4, batch=4, half_weights="False"), "half_weights is 'False'"),
        (dict(steps=4, batch=4, seed=2**65), "seed is 36893488147419103232"),
    ],
)
def test_settings_that_are_not_possible(training, match: str) -> None:
    with pytest.raises(UserError, match=match):
        TrainingSettings.read(training)


def test_layers_of_an_objective_are_the_same_in_every_process(tmp_path, monkeypatch) -> None:
    class WithLayers(EmbeddingObjective):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, embeddings: PairEmbeddings) -> dict[str, Tensor]:
            return {}

    monkeypatch.setitem(OBJECTIVES, "WithLayers", WithLayers)
    tiny.write_pairs(tmp_path)
    config = tiny.config(tmp_path)
    config["objectives"] = [dict(type="WithLayers")]
    states = [TeacherTraining.build(config).trained.objectives.state_dict() for _ in range(2)]
    assert torch.equal(*(state["0.layer.weight"] for state in states))
