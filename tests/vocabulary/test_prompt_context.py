"""Prompts around a learned context, through the embedded teacher's text tower."""

import pytest
import torch

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.vocabulary import prompt_context
from ovdistill.vocabulary.prompt_context import (
    ContextPrompts,
    check_name_position,
    context_from_text,
    random_context,
)

NAMES = ["striped star", "ring", "Checkered_Hexagon", "sail (boat)"]
CLEAN = ["striped star", "ring", "checkered hexagon", "sail (boat)"]


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher(str(TEACHER_DIR))


@pytest.fixture(scope="module")
def tower(teacher):
    return teacher.text_tower()


@pytest.mark.parametrize(
    ("position", "template"),
    [("end", "a photo of a {}."), ("middle", "a photo {} of a."), ("front", "{} a photo of a.")],
)
def test_with_the_tokens_of_words_as_context_it_is_the_text_itself(
    teacher, tower, position, template
):
    context = context_from_text("a photo of a", tower)
    assert context.shape == (4, 96)
    learned = ContextPrompts(NAMES, tower, 4, position).encode(context)
    written = teacher.encode_text([template.format(name) for name in CLEAN])
    assert (learned - written).abs().max() < 1e-5


def test_all_names_share_the_context_behind_the_start(tower):
    prompts = ContextPrompts(NAMES, tower, 3)
    assert prompts.positions[..., 0].tolist() == [[1, 2, 3]] * 4
    assert prompts.lengths.tolist()[:2] == [1 + 3 + 2 + 1 + 1, 1 + 3 + 1 + 1 + 1]
    odd = ContextPrompts(NAMES[:2], tower, 3, "middle")
    assert odd.positions[..., 0].tolist() == [[1, 4, 5], [1, 3, 4]]
    assert ContextPrompts(NAMES[:1], tower, 2, "front").positions[..., 0].tolist() == [[3, 4]]


def test_gradients_reach_the_context_and_nothing_else(teacher, tower):
    context = random_context(5, tower, 0).requires_grad_()
    prompts = ContextPrompts(NAMES, tower, 5)
    prompts.encode(context)[:, 0].sum().backward()
    assert (context.grad.abs().sum(dim=1) > 0).all()
    assert all(p.grad is None for p in teacher.parameters())
    assert not prompts.embedded.requires_grad


def test_names_in_passes_give_the_same_embeddings_and_gradients(tower, monkeypatch):
    results = []
    for size in (64, 1, 3):
        monkeypatch.setattr(prompt_context, "NAMES_PER_PASS", size)
        context = random_context(4, tower, 0).requires_grad_()
        embeddings = ContextPrompts(NAMES, tower, 4).encode(context)
        (embeddings * torch.arange(128)).sum().backward()
        results.append((embeddings.detach(), context.grad))
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(4))
    for embeddings, gradient in results[1:]:
        torch.testing.assert_close(embeddings, results[0][0], atol=1e-5, rtol=0)
        torch.testing.assert_close(gradient, results[0][1], atol=1e-3, rtol=1e-3)


def test_random_context(tower):
    context = random_context(500, tower, 3)
    assert context.std().item() == pytest.approx(0.02, rel=0.02)
    assert torch.equal(context, random_context(500, tower, 3))
    assert not torch.equal(context, random_context(500, tower, 4))


def test_names_without_room_are_named(tower):
    long = "star " * 22
    with pytest.raises(UserError, match=r"1 names are too long for 8 context vectors .*star star"):
        ContextPrompts(["ring", long], tower, 8)
    assert len(ContextPrompts(["ring", "star " * 21], tower, 8)) == 2  # 1 + 8 + 21 + 1 + 1 = 32
    with pytest.raises(UserError, match="2 names are too long for 30 context vectors"):
        ContextPrompts(["ring", "star"], tower, 30)


def test_no_words_to_start_from(tower):
    with pytest.raises(UserError, match="expected words"):
        context_from_text(" ", tower)


def test_a_tokenizer_that_drops_letters_is_refused(teacher):
    def dropping(texts, context_length):
        return teacher.tokenizer([text.replace("x", "") for text in texts], context_length)

    tower = type(teacher.text_tower())(teacher.model, dropping)
    with pytest.raises(UserError, match="one token of each single letter"):
        ContextPrompts(["ring", "striped star"], tower, 2)


def test_positions_of_the_name():
    assert check_name_position("middle") == "middle"
    with pytest.raises(UserError, match="'left'.*front, middle, end"):
        check_name_position("left")
