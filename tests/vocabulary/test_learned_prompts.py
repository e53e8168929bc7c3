"""Learned prompts around names that they were not learned with."""

import pytest
import torch
from mmengine.config import Config
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.datasets.build_vocabulary import encode_names, prompts_of_config
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts, read_prompts
from ovdistill.vocabulary.prompt_context import Prompts, context_of, random_context

NAMES = ("striped star", "ring")


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher("ovshapes")


@pytest.fixture(scope="module")
def learned(teacher):
    tower = teacher.text_tower()
    contexts = torch.stack([random_context(3, tower, seed) for seed in (0, 1)])
    made_by = TeacherId(teacher.id, teacher.weights_hash)
    return LearnedPrompts(contexts, "middle", made_by, "learned by nobody")


@pytest.fixture
def file(teacher, learned, tmp_path):
    path = tmp_path / "learned.safetensors"
    Vocabulary.encode(NAMES, teacher, learned, tokens=True).save(path)
    return path


def test_the_mean_over_the_contexts(teacher, learned):
    words = Vocabulary.encode(NAMES, teacher, learned)
    prompts = Prompts(NAMES, teacher.text_tower(), 3, "middle")
    one, other = (prompts.encode(context) for context in learned.contexts)
    torch.testing.assert_close(words.embeddings, normalize(one + other, dim=1), atol=1e-6, rtol=0)
    assert not torch.allclose(one, other, atol=1e-3)
    assert words.prompts is learned and words.templates == ("learned by nobody",)


def test_a_context_of_words_gives_what_the_template_gives(teacher, learned):
    context = context_of("a photo of a", teacher.text_tower())
    written = LearnedPrompts(context[None], "end", learned.teacher, "")
    torch.testing.assert_close(
        Vocabulary.encode(NAMES, teacher, written).embeddings,
        Vocabulary.encode(NAMES, teacher, ["a photo of a {}."]).embeddings,
        atol=1e-5,
        rtol=0,
    )


def test_the_file_embeds_other_names_as_its_own(teacher, learned, file):
    words = Vocabulary.load(file)
    assert read_header(file).place == words.prompts.place == "middle"
    assert torch.equal(words.prompts.contexts, learned.contexts)
    again = encode_names("dotted heart, ring", lambda: teacher, str(file))
    torch.testing.assert_close(again.embeddings[1], words.embeddings[1], atol=1e-6, rtol=0)
    again.save(file.with_name("again.safetensors"))
    assert torch.equal(read_prompts(file.with_name("again.safetensors")).contexts, learned.contexts)


def test_prompts_of_a_config(teacher, learned, file, tmp_path):
    step = dict(vocabulary=dict(templates="vild63"))
    trained = Config(dict(vocabulary=str(file), prepare=step))
    assert torch.equal(prompts_of_config(trained).contexts, learned.contexts)
    handed_out = Config(dict(prepare=dict(vocabulary=dict(templates=str(file)))))
    assert torch.equal(prompts_of_config(handed_out).contexts, learned.contexts)

    assert (
        prompts_of_config(Config(dict(vocabulary="nowhere", prepare=step))) == TEMPLATES["vild63"]
    )
    assert prompts_of_config(Config()) == TEMPLATES["single"]
    imported = Vocabulary(
        NAMES, torch.eye(2), torch.ones(2, dtype=torch.bool), TeacherId("published")
    )
    imported.save(tmp_path / "imported")
    of_a_file = Config(dict(vocabulary=str(tmp_path / "imported"), prepare=step))
    assert prompts_of_config(of_a_file) == TEMPLATES["vild63"]
    written = Vocabulary.encode(NAMES, teacher, ["a {}."])
    written.save(tmp_path / "written")
    assert prompts_of_config(Config(dict(vocabulary=str(tmp_path / "written"), prepare=step))) == (
        "a {}.",
    )


def test_prompts_of_another_teacher(teacher, learned):
    foreign = LearnedPrompts(
        learned.contexts, learned.place, TeacherId("ViT-B-32:openai", "abc"), "elsewhere"
    )
    with pytest.raises(UserError, match=r"learned with teacher ViT-B-32:openai .*; got .*ovshapes"):
        Vocabulary.encode(NAMES, teacher, foreign)


def test_a_vocabulary_without_learned_prompts(teacher, tmp_path):
    path = tmp_path / "words.safetensors"
    Vocabulary.encode(NAMES, teacher, ["a {}."]).save(path)
    with pytest.raises(UserError, match=r"words.safetensors' has no learned prompts; expected"):
        read_prompts(path)
    with pytest.raises(UserError, match="no vocabulary file"):
        read_prompts(tmp_path / "missing.safetensors")
