"""Learned prompts around names that they were not learned with."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import ClassContexts, LearnedPrompts, read_prompts
from ovdistill.vocabulary.prompt_context import ContextPrompts, context_from_text, random_context

NAMES = ("striped star", "ring")


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher("ovshapes")


@pytest.fixture(scope="module")
def learned(teacher):
    tower = teacher.text_tower()
    contexts = torch.stack([random_context(3, tower, seed) for seed in (0, 1)])
    return LearnedPrompts(contexts, "middle", teacher.id, "learned by nobody")


@pytest.fixture
def file(teacher, learned, tmp_path):
    path = tmp_path / "learned.safetensors"
    Vocabulary.encode(NAMES, teacher, learned, tokens=True).save(path)
    return path


def test_the_mean_over_the_contexts(teacher, learned):
    vocabulary = Vocabulary.encode(NAMES, teacher, learned)
    prompts = ContextPrompts(NAMES, teacher.text_tower(), 3, "middle")
    one, other = (prompts.encode(context) for context in learned.contexts)
    torch.testing.assert_close(
        vocabulary.embeddings, normalize(one + other, dim=1), atol=1e-6, rtol=0
    )
    assert not torch.allclose(one, other, atol=1e-3)
    assert vocabulary.prompts is learned and vocabulary.templates == ("learned by nobody",)


def test_a_context_of_words_gives_what_the_template_gives(teacher, learned):
    context = context_from_text("a photo of a", teacher.text_tower())
    written = LearnedPrompts(context[None], "end", learned.teacher, "")
    torch.testing.assert_close(
        Vocabulary.encode(NAMES, teacher, written).embeddings,
        Vocabulary.encode(NAMES, teacher, ["a photo of a {}."]).embeddings,
        atol=1e-5,
        rtol=0,
    )


def test_the_file_embeds_other_names_as_its_own(teacher, learned, file):
    vocabulary = Vocabulary.load(file)
    assert read_header(file).name_position == vocabulary.prompts.name_position == "middle"
    assert torch.equal(vocabulary.prompts.contexts, learned.contexts)
    again = Vocabulary.encode(("dotted heart", "ring"), teacher, read_prompts(str(file)))
    torch.testing.assert_close(again.embeddings[1], vocabulary.embeddings[1], atol=1e-6, rtol=0)
    again.save(file.with_name("again.safetensors"))
    assert torch.equal(read_prompts(file.with_name("again.safetensors")).contexts, learned.contexts)


def test_the_file_keeps_the_spelling_of_names(teacher, learned, tmp_path):
    words = LearnedPrompts(learned.contexts, "end", teacher.id, "learned", spelling="words")
    kept, dropped = (
        Vocabulary.encode(["ring (striped)"], teacher, prompts)
        for prompts in (replace(words, spelling="plain"), words)
    )
    bare = Vocabulary.encode(["ring striped"], teacher, words)
    torch.testing.assert_close(dropped.embeddings, bare.embeddings)
    assert not torch.allclose(dropped.embeddings, kept.embeddings, atol=1e-3)
    for vocabulary, spelling in ((kept, "plain"), (dropped, "words")):
        vocabulary.save(tmp_path / "v.safetensors")
        assert read_prompts(tmp_path / "v.safetensors").spelling == spelling


def test_prompts_of_another_teacher(teacher, learned):
    foreign = LearnedPrompts(
        learned.contexts, learned.name_position, TeacherId("ViT-B-32:openai", "abc"), "elsewhere"
    )
    with pytest.raises(UserError, match="ViT-B-32:openai.*ovshapes"):
        Vocabulary.encode(NAMES, teacher, foreign)


def test_a_vocabulary_without_learned_prompts(teacher, tmp_path):
    path = tmp_path / "words.safetensors"
    Vocabulary.encode(NAMES, teacher, ["a {}."]).save(path)
    with pytest.raises(UserError, match=r"words.safetensors' has no learned prompts; expected"):
        read_prompts(path)
    with pytest.raises(UserError, match="no vocabulary file"):
        read_prompts(tmp_path / "missing.safetensors")


@pytest.fixture(scope="module")
def per_class(teacher):
    """Contexts of two names, and their mean for all others."""
    tower = teacher.text_tower()
    own = torch.stack([random_context(3, tower, seed) for seed in (0, 1)])[None]
    contexts = ClassContexts(NAMES, own)
    return LearnedPrompts(own.mean(dim=1), "end", teacher.id, "learned", own=contexts)


def test_names_have_their_own_contexts_and_others_the_mean(teacher, per_class):
    others = ("heart", "striped star", "arrow")
    found = per_class.encode(others, teacher)[:, 0]
    prompts = ContextPrompts(others, teacher.text_tower(), 3)
    mean = prompts.encode(per_class.contexts[0])
    of_star = prompts.encode(per_class.own.contexts[0, 0])
    torch.testing.assert_close(found[[0, 2]], mean[[0, 2]], atol=1e-6, rtol=0)
    torch.testing.assert_close(found[1], of_star[1], atol=1e-6, rtol=0)
    assert not torch.allclose(found[1], mean[1], atol=1e-3)


def test_another_spelling_of_a_name_has_its_context(per_class):
    others = per_class.contexts
    spelled = per_class.own.of(["Striped_Star.", "moon"], others)
    assert torch.equal(spelled, torch.stack([per_class.own.contexts[:, 0], others], dim=1))
    respelled = ClassContexts(("striped_star", NAMES[1]), per_class.own.contexts)
    assert torch.equal(respelled.of(NAMES, others), per_class.own.contexts)


def test_contexts_of_names_come_back_from_the_file(teacher, per_class, tmp_path):
    path = tmp_path / "own.safetensors"
    made = Vocabulary.encode((*NAMES, "heart"), teacher, per_class)
    made.save(path)
    found = Vocabulary.load(path)
    assert found.learned.own.names == NAMES == read_header(path).context_names
    assert torch.equal(found.learned.own.contexts, per_class.own.contexts)
    again = Vocabulary.encode(found.names, teacher, read_prompts(path))
    assert torch.equal(again.embeddings, made.embeddings)
    for own in (per_class.own.contexts[:, :1], per_class.own.contexts * torch.nan):
        damaged = replace(per_class, own=ClassContexts(NAMES, own))
        replace(made, learned=damaged).save(path)
        with pytest.raises(UserError, match="own"):
            Vocabulary.load(path)
