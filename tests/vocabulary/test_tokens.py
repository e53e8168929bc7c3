"""Class names as sets of tokens, and the vocabulary that carries the tokens' embeddings."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.tokens import all_tokens, positive_map, tokens_of

from .fake_teacher import FakeTeacher


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("striped star", ("striped", "star")),
        ("Ping-pong_ball", ("ping-pong", "ball")),
        ("shaker (salt shaker)", ("shaker", "salt")),
        ("crêpe", ("crêpe",)),
        ("?!", ("?!",)),
    ],
)
def test_tokens_of_a_name(name, tokens):
    assert tokens_of(name) == tokens


def test_tokens_are_shared_among_names():
    names = ("striped star", "star", "solid ring")
    tokens = all_tokens(names)
    assert tokens == ("striped", "star", "solid", "ring")
    assert positive_map(names, tokens).tolist() == [
        [True, True, False, False],
        [False, True, False, False],
        [False, False, True, True],
    ]


def test_a_vocabulary_embeds_its_tokens_and_keeps_them(tmp_path):
    vocabulary = Vocabulary.encode(["x y", "y"], FakeTeacher(), ("{}",), tokens=True)
    assert vocabulary.tokens == ("x", "y")
    expected = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    torch.testing.assert_close(vocabulary.token_embeddings, expected, atol=1e-6, rtol=0)
    vocabulary.save(tmp_path / "v")
    assert torch.equal(
        Vocabulary.load(tmp_path / "v").token_embeddings, vocabulary.token_embeddings
    )
    assert Vocabulary.encode(["x y"], FakeTeacher(), ("{}",)).token_embeddings is None


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.eye(2)[:1], "2 tokens"),
        (torch.eye(3)[:2], "2 tokens"),
        (2 * torch.eye(2), "'b' has norm 2|'a' has norm 2"),
        (torch.eye(2).half(), "float32"),
    ],
)
def test_tokens_that_do_not_fit(tokens, message):
    with pytest.raises(UserError, match=message):
        Vocabulary(
            ("a b",),
            torch.eye(2)[:1],
            torch.ones(1) > 0,
            TeacherId("test"),
            token_embeddings=tokens,
        )
