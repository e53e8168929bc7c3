"""BERT's rule of hiding tokens, and its loss."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ovdistill.teacher_training.batch import is_text
from ovdistill.teacher_training.objectives.masked_language.loss import (
    draw_positions,
    hide_tokens,
    masked_token_loss,
)

START, END, MASK, VOCABULARY = 97, 98, 99, 100


def _texts(*lengths: int, width: int = 16) -> Tensor:
    """Texts of so many tokens between start and end, all of them 7."""
    rows = [[START] + [7] * n + [END] + [0] * (width - n - 2) for n in lengths]
    return torch.tensor(rows)


def test_a_zero_inside_of_a_text_is_text() -> None:
    tokens = torch.tensor([[START, 0, 5, END, 0, 0], [0, 0, 0, 0, 0, 0]])
    assert is_text(tokens).sum(dim=1).tolist() == [4, 0]


def test_all_tokens_between_start_and_end() -> None:
    positions, chosen = draw_positions(_texts(3, 0, 14), share=1.0)
    found = [sorted(p[c].tolist()) for p, c in zip(positions, chosen, strict=True)]
    assert found == [[1, 2, 3], [], list(range(1, 15))]


def test_fifteen_percent_and_at_least_one() -> None:
    torch.manual_seed(0)
    tokens = _texts(1, 6, 10, 14).repeat(200, 1)
    positions, chosen = draw_positions(tokens, share=0.15)
    assert chosen.sum(dim=1).view(200, 4).unique(dim=0).tolist() == [[1, 1, 2, 2]]
    hidden = torch.zeros_like(tokens).scatter(1, positions, chosen.long()).bool()
    assert (tokens[hidden] == 7).all()  # never start, end or padding
    per_position = hidden.view(200, 4, -1)[:, 1].sum(dim=0)  # the texts of 6 tokens
    assert (per_position[1:7] > 15).all()  # every one gets its turn: 33 of 200


def test_eighty_ten_ten() -> None:
    torch.manual_seed(0)
    tokens = _texts(14).repeat(2000, 1)
    positions, chosen = draw_positions(tokens, share=0.5)
    hidden = hide_tokens(tokens, positions, chosen, MASK, VOCABULARY)
    assert (hidden[:, 0] == START).all() and (hidden[:, 15] == END).all()
    after = hidden.gather(1, positions)[chosen]
    assert len(after) == 14000 and after.min() > 0
    # a random token is the mask token or the same again in 2 of 99
    assert (after == MASK).float().mean().item() == pytest.approx(0.8, abs=0.015)
    assert (after == 7).float().mean().item() == pytest.approx(0.1, abs=0.01)
    untouched = hidden.gather(1, positions)[~chosen]
    assert untouched.equal(tokens.gather(1, positions)[~chosen])


def test_draws_follow_torchs_seed() -> None:
    tokens, found = _texts(12, 9), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        positions, chosen = draw_positions(tokens, 0.5)
        found.append(hide_tokens(tokens, positions, chosen, MASK, VOCABULARY))
    assert found[0].equal(found[1]) and not found[0].equal(found[2])


def test_the_loss_is_a_mean_over_chosen_tokens() -> None:
    logits = torch.tensor([[3.0, 1.0], [3.0, 1.0], [9.0, 1.0]]).log()[None]
    targets, chosen = torch.tensor([[0, 1, 1]]), torch.tensor([[True, True, False]])
    loss = masked_token_loss(logits, targets, chosen)
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_chosen_keeps_the_graph(count: int) -> None:
    logits = torch.ones(count, 3, 5, requires_grad=True)
    targets = torch.zeros(count, 3, dtype=torch.long)
    loss = masked_token_loss(logits, targets, torch.zeros(count, 3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0 and logits.grad.abs().sum() == 0
