"""What a config must hold, before anything is built."""

from __future__ import annotations

from typing import ClassVar

import pytest
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.batch import PairEmbeddings
from ovdistill.teacher_training.config import TeacherTraining
from ovdistill.teacher_training.objective import EmbeddingObjective
from ovdistill.teacher_training.registry import OBJECTIVES

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
