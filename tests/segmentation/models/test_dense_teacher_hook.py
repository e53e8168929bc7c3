"""The hook that gives a segmentor its teacher."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.segmentation.models.dense_teacher_hook import BuildDenseTeacher
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary
from tests.batches import make_vocabulary
from tests.segmentation.small import build

TEACHER = dict(model="ovshapes")


def runner(terms: list[dict], **content: object) -> SimpleNamespace:
    own = build_teacher(TEACHER)
    words = make_vocabulary(4, embed_dim=own.embed_dim)
    vocabulary = Vocabulary(words.names, words.embeddings, words.is_base, own.id)
    return SimpleNamespace(model=build(vocabulary, distillers=terms), cfg=Config(content))


def test_a_segmentor_that_needs_the_teacher_gets_it():
    given = runner([dict(type="PixelEmbeddingTerm")], teacher=TEACHER)
    BuildDenseTeacher(scale=0.5).before_train(given)
    found = given.model.dense_teacher
    assert found.scale == 0.5 and found.teacher.name == "ovshapes-rn"
    dense = found.embed(torch.rand(1, 3, 128, 128))
    assert dense.shape == (1, found.teacher.embed_dim, 2, 2)


def test_others_build_none():
    given = runner([dict(type="PixelWordTerm")], teacher=dict(model="no such one"))
    for begin in (BuildDenseTeacher().before_train, BuildDenseTeacher().before_test):
        begin(given)
    assert given.model.dense_teacher is None


def test_a_test_does_not_build_what_only_the_training_needs():
    given = runner([dict(type="PixelEmbeddingTerm")], teacher=dict(model="no such one"))
    BuildDenseTeacher().before_test(given)
    assert given.model.dense_teacher is None


def test_a_config_without_a_teacher_is_an_error():
    with pytest.raises(UserError, match="the config has no `teacher`"):
        BuildDenseTeacher().before_train(runner([dict(type="PixelEmbeddingTerm")]))
