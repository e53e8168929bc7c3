"""A vocabulary that was prepared from other inputs: of another teacher, prompts or embeddings."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.embedding_map import EmbeddingMap
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.extraction.prepare import check_prepared
from ovdistill.extraction.prepare_vocabulary import prepare_vocabulary
from ovdistill.extraction.stale import digest
from ovdistill.models.config import load_config
from ovdistill.store.meta import TEACHER_FILES
from ovdistill.teacher import build_teacher
from ovdistill.teacher.teacher_folder import WEIGHTS_NAME
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts


def config_of(folder, **options):
    """Return a config whose vocabulary is made from names, in a folder of its own."""
    names = "solid star, dotted ring, solid cross"
    step = {"prepare.vocabulary.names": names, "prepare.vocabulary.split": "dotted ring"}
    options = {key.replace("__", "."): value for key, value in options.items()}
    return load_config("vild_r18_shapes", {"data_root": str(folder), **step, **options})


def make_vocabulary(config):
    prepare_vocabulary(config, **config.prepare.vocabulary)


def test_a_vocabulary_of_a_teacher_that_was_trained_again(tmp_path):
    """Into the same folder, under the same name."""
    folder = Path(shutil.copytree(TEACHER_DIR, tmp_path / "teacher"))
    config = config_of(tmp_path, teacher=dict(model=str(folder)))
    make_vocabulary(config)
    moved = shutil.move(folder, tmp_path / "elsewhere")
    make_vocabulary(config_of(tmp_path, teacher=dict(model=moved)))
    weights = Path(moved, WEIGHTS_NAME)
    weights.write_bytes(weights.read_bytes() + b"0")
    with pytest.raises(UserError, match=r"vocabulary\.safetensors\n +teacher's files: \w+ there"):
        check_prepared(config_of(tmp_path, teacher=dict(model=moved)), for_training=False)
    vocabulary = Vocabulary.load(config.vocabulary)
    origin = {key: v for key, v in vocabulary.origin.items() if key != TEACHER_FILES}
    replace(vocabulary, origin=origin).save(config.vocabulary)  # as of an earlier version
    make_vocabulary(config_of(tmp_path, teacher=dict(model=moved)))


def test_a_map_of_the_same_name(tmp_path):
    """`ovdistill store centre` calls all of them so."""
    base = TeacherId("ovshapes-rn")
    teacher = dict(model="ovshapes", embedding_map=str(tmp_path / "map"))
    for value in (0.1, 0.2):
        bias = torch.full((128,), value)
        EmbeddingMap("centred", base, 0.01, {"text_bias": bias}).save(tmp_path / "map")
        config = config_of(tmp_path, teacher=teacher)
        if value == 0.1:
            make_vocabulary(config)
            continue
        with pytest.raises(UserError, match="teacher's maps and adapters: "):
            make_vocabulary(config)


def test_prompts_that_were_learned_again(tmp_path):
    """The file that holds them has the same description as before."""
    teacher = build_teacher(config_of(tmp_path).teacher)
    step = dict(prepare__vocabulary__templates=str(tmp_path / "learned.safetensors"))
    for number in range(2):
        contexts = torch.full((1, 2, teacher.text_tower().width), 0.1 * (number + 1))
        learned = LearnedPrompts(contexts, "end", teacher.id, "learned in 5 epochs")
        Vocabulary.encode(("star", "ring"), teacher, learned).save(tmp_path / "learned.safetensors")
        if not number:
            make_vocabulary(config_of(tmp_path, **step))
            make_vocabulary(config_of(tmp_path, **step))
    with pytest.raises(UserError, match="templates: 1 there, 1 others now"):
        make_vocabulary(config_of(tmp_path, **step))
    vocabulary = Vocabulary.load(config_of(tmp_path).vocabulary)
    earlier = {**vocabulary.origin, "templates": digest(["learned in 5 epochs"])}
    replace(vocabulary, origin=earlier).save(config_of(tmp_path).vocabulary)
    make_vocabulary(config_of(tmp_path, **step))  # an earlier version notes the description


def test_published_embeddings_may_be_deleted_but_not_changed(tmp_path):
    path = tmp_path / "e.npy"
    np.save(path, np.eye(3, 128, dtype=np.float32))
    config = config_of(tmp_path, prepare__vocabulary__embeddings=str(path))
    make_vocabulary(config)
    assert TEACHER_FILES not in read_header(config.vocabulary).origin
    path.unlink()
    make_vocabulary(config)
    np.save(path, np.eye(3, 128, dtype=np.float32)[::-1])
    with pytest.raises(UserError, match="embeddings: "):
        make_vocabulary(config)
    path.unlink()
    own = config_of(tmp_path / "own")
    make_vocabulary(own)
    own.prepare.vocabulary.embeddings = str(path)
    with pytest.raises(UserError, match="embeddings: "):
        make_vocabulary(own)
