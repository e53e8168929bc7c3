"""Training of the small teacher: the loss, and a directory that loads."""

from __future__ import annotations

import numpy as np
import open_clip
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer

from ovdistill.core.errors import UserError
from ovdistill.ovshapes.teacher import training
from ovdistill.ovshapes.teacher.tokenizer import learn_merges, merges_file, vocabulary_size
from ovdistill.teacher import OpenCLIPTeacher

from .noise_pool import noise_pool


@pytest.fixture(scope="module")
def pool():
    return noise_pool()


def test_group_loss_has_no_false_negatives():
    generator = torch.Generator().manual_seed(0)
    image, text = torch.nn.functional.normalize(torch.randn(2, 4, 8, generator=generator), dim=-1)
    labels, scale = np.array([0, 1, 0, 1]), torch.tensor(5.0)
    loss = training.group_loss(image, text[:2], labels, scale)
    clip = open_clip.ClipLoss()
    expected = (clip(image[:2], text[:2], scale) + clip(image[2:], text[:2], scale)) / 2
    torch.testing.assert_close(loss, expected)


def test_a_trained_directory_loads_as_a_teacher(tmp_path, pool):
    merges = learn_merges(training.words())
    (tmp_path / "bpe.txt.gz").write_bytes(merges_file(merges))
    tokenizer = SimpleTokenizer(str(tmp_path / "bpe.txt.gz"), context_length=32)
    config = training.model_config(vocabulary_size(merges))
    config["vision_cfg"] |= {"image_size": 32}
    models = [training.fit(config, tokenizer, pool, 2, 65, seed) for seed in (0, 0, 1)]
    training.write_teacher(tmp_path, models[0], config)
    teacher = OpenCLIPTeacher(str(tmp_path))
    tokens = tokenizer(["a red star"])
    with torch.no_grad():
        own, same, other = (model.encode_text(tokens, normalize=True) for model in models)
    torch.testing.assert_close(teacher.encode_text(["a red star"]), own, atol=5e-3, rtol=0)
    assert torch.equal(own, same) and not torch.allclose(own, other)


@pytest.mark.parametrize("bad", [{"batch": 100}, {"batch": 585}, {"steps": 0}, {"pool": 0}])
def test_bad_arguments(tmp_path, bad):
    with pytest.raises(UserError, match="expected"):
        training.train_teacher(tmp_path, **bad)
