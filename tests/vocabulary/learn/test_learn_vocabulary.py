"""Learning on the embedded teacher, with made-up regions; one of four classes is novel."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learn import Recipe, learn_vocabulary
from ovdistill.vocabulary.learn.learn_vocabulary import split_by_iou
from ovdistill.vocabulary.learn.train import learn_context
from ovdistill.vocabulary.prompt_context import ContextPrompts, random_context

from .conftest import IS_BASE, NAMES

FAST = Recipe(context=4, bins="single", batch=16, epochs=3, lr=0.5)


@pytest.fixture
def vocabulary():
    return Vocabulary(
        NAMES, torch.eye(4, 8), IS_BASE, TeacherId("other"), frequency=("f", "r", "c", "f")
    )


def test_vocabulary_of_a_single_bin(teacher, samples, vocabulary):
    learned = learn_vocabulary(
        vocabulary, teacher, samples, FAST, "regions of S", lambda line: None
    )
    assert (learned.names, learned.frequency) == (vocabulary.names, vocabulary.frequency)
    assert torch.equal(learned.is_base, vocabulary.is_base)
    assert learned.teacher == teacher.id and teacher.id.weights_hash
    assert learned.embeddings.shape == (4, 128) and learned.token_embeddings is None
    assert learned.templates == (
        "learned: 4 context vectors, name (words) at the end, IoU bins 0.5 to 1, background 0.1, "
        "3 epochs, lr 0.5, seed 0, batch 16, regions of S",
    )
    tower = teacher.text_tower()
    base = ContextPrompts([NAMES[0], NAMES[2], NAMES[3]], tower, 4)
    start = random_context(4, tower, 0)
    context = learn_context(
        start, base, samples, IS_BASE, teacher.temperature, FAST, lambda line: None
    )
    expected = ContextPrompts(NAMES, tower, 4).encode(context)
    torch.testing.assert_close(learned.embeddings, expected, atol=1e-5, rtol=0)


def test_bins_are_learned_apart_and_averaged(teacher, samples, vocabulary, monkeypatch):
    monkeypatch.setattr(
        "ovdistill.vocabulary.learn.recipe.BINS", {"grades": (0.5, 0.9), "single": (0.5,)}
    )
    recipe = Recipe(context=4, batch=16, epochs=1, lr=0.5)
    both = learn_vocabulary(vocabulary, teacher, samples, recipe, "S", lambda line: None)
    parts = [own for _, own in split_by_iou(samples, (0.5, 0.9))]
    assert [len(part) for part in parts] == [18 + 12, 18 + 12]
    single = Recipe(context=4, batch=16, epochs=1, lr=0.5, bins="single")
    low, high = (
        learn_vocabulary(vocabulary, teacher, part, single, "S", lambda line: None).embeddings
        for part in parts
    )
    assert not torch.allclose(low, high, atol=1e-4)
    torch.testing.assert_close(both.embeddings, normalize(low + high, dim=1), atol=1e-5, rtol=0)


def test_novel_classes_are_no_columns_in_training(teacher, samples, vocabulary, monkeypatch):
    """Renaming the novel class changes its own embedding and no other."""
    renamed = Vocabulary(
        ("striped ring", "zebra", "dotted heart", "plain circle"),
        torch.eye(4),
        IS_BASE,
        TeacherId("other"),
    )
    one, other = (
        learn_vocabulary(w, teacher, samples, FAST, "S", lambda line: None).embeddings
        for w in (vocabulary, renamed)
    )
    torch.testing.assert_close(one[IS_BASE], other[IS_BASE], atol=1e-6, rtol=0)
    assert not torch.allclose(one[1], other[1], atol=1e-2)


def test_the_same_seed_gives_the_same_embeddings(teacher, samples, vocabulary):
    one, again, other = (
        learn_vocabulary(
            vocabulary,
            teacher,
            samples,
            Recipe(**{**vars(FAST), "seed": seed}),
            "S",
            lambda line: None,
        ).embeddings
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, again) and not torch.allclose(one, other, atol=1e-3)


def test_tokens_are_embedded_where_the_vocabulary_has_them(teacher, samples, vocabulary):
    # striped, ring, star, dotted, heart, plain, circle
    with_tokens = Vocabulary(
        NAMES, torch.eye(4, 8), IS_BASE, TeacherId("other"), token_embeddings=torch.eye(7, 8)
    )
    learned = learn_vocabulary(with_tokens, teacher, samples, FAST, "S", lambda line: None)
    assert learned.token_embeddings.shape == (7, 128)
    alone = learn_vocabulary(vocabulary, teacher, samples, FAST, "S", lambda line: None)
    torch.testing.assert_close(learned.embeddings, alone.embeddings, atol=1e-5, rtol=0)


def test_an_empty_bin(teacher, samples, vocabulary):
    with pytest.raises(UserError, match=r"no region has an IoU of 0.6 to 0.7 .*--bins single"):
        learn_vocabulary(vocabulary, teacher, samples, Recipe(epochs=1), "S", lambda line: None)


def test_every_base_class_learns_a_context_of_its_own(teacher, samples, vocabulary):
    recipe = Recipe(context=2, bins="single", batch=16, epochs=2, lr=0.5, class_contexts=True)
    found = learn_vocabulary(vocabulary, teacher, samples, recipe, "regions", lambda line: None)
    learned = found.learned
    assert learned.own.names == (NAMES[0], NAMES[2], NAMES[3])
    assert learned.own.contexts.shape == (1, 3, 2, teacher.text_tower().width)
    torch.testing.assert_close(learned.contexts, learned.own.contexts.mean(dim=1))
    assert not torch.allclose(*learned.own.contexts[0, :2])
    # what a novel name takes
    mean = ContextPrompts([NAMES[1]], teacher.text_tower(), 2).encode(learned.contexts[0])
    torch.testing.assert_close(found.embeddings[1:2], mean, atol=1e-5, rtol=0)
    assert "other names take their mean" in found.templates[0]
