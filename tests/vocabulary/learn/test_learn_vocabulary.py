"""Learning on the embedded teacher: its own images of drawn objects, two words novel."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learn import Recipe, Samples, accuracy_table, learn_vocabulary
from ovdistill.vocabulary.learn.learn_vocabulary import split_by_iou
from ovdistill.vocabulary.learn.samples import BACKGROUND
from ovdistill.vocabulary.learn.train import learn_context
from ovdistill.vocabulary.prompt_context import Prompts, random_context

NAMES = ("striped ring", "striped star", "dotted heart", "plain circle")
IS_BASE = torch.tensor([True, False, True, True])
FAST = Recipe(context=4, bins="single", batch=16, epochs=3, lr=0.5)


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher(str(TEACHER_DIR))


@pytest.fixture(scope="module")
def samples(teacher):
    """Regions near their word's embedding, in two bins, and background."""
    generator = torch.Generator().manual_seed(0)
    words = teacher.encode_text([f"a photo of a {name}." for name in NAMES])
    labels = torch.tensor([0, 2, 3, BACKGROUND]).repeat(12)
    noise = torch.randn(48, teacher.embed_dim, generator=generator)
    embeddings = normalize(words[labels] * (labels >= 0)[:, None] + 0.12 * noise, dim=1).half()
    ious = torch.tensor([0.55, 0.95]).repeat_interleave(24)
    return Samples(embeddings, labels, torch.where(labels < 0, 0.3, ious))


@pytest.fixture
def words():
    return Vocabulary(NAMES, torch.eye(4, 8), IS_BASE, "other", frequency=("f", "r", "c", "f"))


def test_the_loss_falls_and_only_base_words_are_told_apart(teacher, samples):
    tower = teacher.text_tower()
    start = random_context(4, tower, 0)
    prompts = Prompts([NAMES[0], NAMES[2], NAMES[3]], tower, 4)
    before, lines = start.clone(), []
    recipe = Recipe(batch=16, epochs=8, lr=0.5)
    learned = learn_context(start, prompts, samples, IS_BASE, 0.05, recipe, lines.append)
    losses = [float(line.rpartition(" ")[2]) for line in lines]
    assert len(losses) == 8 and lines[0].startswith("epoch 1 of 8: loss ")
    assert losses[-1] < 0.9 * losses[0]
    assert torch.equal(start, before) and not learned.requires_grad
    assert not torch.allclose(learned, start)


def test_one_step_by_hand(teacher, samples):
    """A batch of all samples, one epoch: context - lr x gradient."""
    tower = teacher.text_tower()
    start = random_context(4, tower, 0)
    prompts = Prompts([NAMES[0], NAMES[2], NAMES[3]], tower, 4)
    recipe = Recipe(batch=100, epochs=1, lr=0.25)
    learned = learn_context(start, prompts, samples, IS_BASE, 0.05, recipe, lambda line: None)
    context = start.clone().requires_grad_()
    regions = normalize(samples.embeddings.float(), dim=1)
    log_p = (regions @ prompts.encode(context).T / 0.05).log_softmax(dim=1)
    # 12 of each: words weigh 1 / (12 * 3 / 48) = 4/3, background 1 / (2 * 12 / 48) = 2
    rows = torch.arange(12) * 4
    word = -(log_p[rows, 0].sum() + log_p[rows + 1, 1].sum() + log_p[rows + 2, 2].sum())
    loss = (4 / 3 * word - 2 * log_p[rows + 3].mean(dim=1).sum()) / (36 * 4 / 3 + 12 * 2)
    loss.backward()
    torch.testing.assert_close(learned, start - 0.25 * context.grad, atol=1e-5, rtol=1e-4)


def test_vocabulary_of_a_single_bin(teacher, samples, words):
    learned = learn_vocabulary(words, teacher, samples, FAST, "regions of S", lambda line: None)
    assert (learned.names, learned.frequency) == (words.names, words.frequency)
    assert torch.equal(learned.is_base, words.is_base)
    assert (learned.teacher, learned.teacher_hash) == (teacher.id, teacher.weights_hash)
    assert learned.embeddings.shape == (4, 128) and learned.token_embeddings is None
    assert learned.templates == (
        "learned: 4 context vectors, name at the end, IoU bins 0.5 to 1, background 0.1, 3 epochs, "
        "lr 0.5, seed 0, regions of S",
    )
    tower = teacher.text_tower()
    base = Prompts([NAMES[0], NAMES[2], NAMES[3]], tower, 4)
    start = random_context(4, tower, 0)
    context = learn_context(
        start, base, samples, IS_BASE, teacher.temperature, FAST, lambda line: None
    )
    expected = Prompts(NAMES, tower, 4).encode(context)
    torch.testing.assert_close(learned.embeddings, expected, atol=1e-5, rtol=0)


def test_bins_are_learned_apart_and_averaged(teacher, samples, words, monkeypatch):
    monkeypatch.setattr(
        "ovdistill.vocabulary.learn.recipe.BINS", {"grades": (0.5, 0.9), "single": (0.5,)}
    )
    recipe = Recipe(context=4, batch=16, epochs=1, lr=0.5)
    both = learn_vocabulary(words, teacher, samples, recipe, "S", lambda line: None)
    parts = [own for _, own in split_by_iou(samples, (0.5, 0.9))]
    assert [len(part) for part in parts] == [18 + 12, 18 + 12]
    single = Recipe(context=4, batch=16, epochs=1, lr=0.5, bins="single")
    low, high = (
        learn_vocabulary(words, teacher, part, single, "S", lambda line: None).embeddings
        for part in parts
    )
    assert not torch.allclose(low, high, atol=1e-4)
    torch.testing.assert_close(both.embeddings, normalize(low + high, dim=1), atol=1e-5, rtol=0)


def test_novel_words_are_no_columns_in_training(teacher, samples, words, monkeypatch):
    """Renaming the novel word changes its own embedding and no other."""
    renamed = Vocabulary(
        ("striped ring", "zebra", "dotted heart", "plain circle"), torch.eye(4), IS_BASE, "other"
    )
    one, other = (
        learn_vocabulary(w, teacher, samples, FAST, "S", lambda line: None).embeddings
        for w in (words, renamed)
    )
    torch.testing.assert_close(one[IS_BASE], other[IS_BASE], atol=1e-6, rtol=0)
    assert not torch.allclose(one[1], other[1], atol=1e-2)


def test_the_same_seed_gives_the_same_words(teacher, samples, words):
    one, again, other = (
        learn_vocabulary(
            words, teacher, samples, Recipe(**{**vars(FAST), "seed": seed}), "S", lambda line: None
        ).embeddings
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, again) and not torch.allclose(one, other, atol=1e-3)


def test_tokens_are_embedded_where_the_vocabulary_has_them(teacher, samples, words):
    # striped, ring, star, dotted, heart, plain, circle
    with_tokens = Vocabulary(
        NAMES, torch.eye(4, 8), IS_BASE, "other", token_embeddings=torch.eye(7, 8)
    )
    learned = learn_vocabulary(with_tokens, teacher, samples, FAST, "S", lambda line: None)
    assert learned.token_embeddings.shape == (7, 128)
    alone = learn_vocabulary(words, teacher, samples, FAST, "S", lambda line: None)
    torch.testing.assert_close(learned.embeddings, alone.embeddings, atol=1e-5, rtol=0)


def test_an_empty_bin(teacher, samples, words):
    with pytest.raises(UserError, match=r"no region has an IoU of 0.6 to 0.7 .*--bins single"):
        learn_vocabulary(words, teacher, samples, Recipe(epochs=1), "S", lambda line: None)


@pytest.mark.parametrize(
    "values",
    [
        dict(context=0),
        dict(epochs=0),
        dict(batch=-1),
        dict(lr=0.0),
        dict(temperature=float("nan")),
        dict(background=1.5),
        dict(place="left"),
        dict(bins="many"),
    ],
)
def test_bad_recipes(values):
    with pytest.raises(UserError, match=f"got {next(iter(values))} = .*expected"):
        Recipe(**values)


def test_accuracy_by_hand():
    embeddings = torch.tensor([[1.0, 0], [0, 1], [0.8, 0.6], [1, 0]]).half()
    samples = Samples(embeddings, torch.tensor([0, 1, 1, 0]), torch.tensor([0.55, 0.55, 0.95, 0.9]))
    table = accuracy_table({"right way": torch.eye(2), "swapped": torch.eye(2).flip(0)}, samples)
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert lines[2] == ["right way", "100.0", "-", "-", "-", "50.0", "75.0"]
    assert lines[3] == ["swapped", "0.0", "-", "-", "-", "50.0", "25.0"]
    assert lines[4] == ["regions", "2", "0", "0", "0", "2", "4"]
