"""Prompts with a context that is learned: [start, v_1 .. v_M, name, ".", end].

Shapes: W names, M context vectors, L tokens of the longest prompt, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.checkpoint import checkpoint

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.teacher.text_tower import TextTower
from ovdistill.vocabulary.prompts import clean_name

NamePosition = Literal["front", "middle", "end"]
NAME_POSITIONS: tuple[NamePosition, ...] = ("front", "middle", "end")
PLACEHOLDER = "x"  # one token, which the context takes the place of
STD = 0.02  # of a random context (CoOp, DetPro)
NAMES_A_PASS = 64


class Prompts:
    """The prompts of W names, all around the same M context vectors.

    Names go through the tower ``NAMES_A_PASS`` at a time, and what the tower computes in between is
    not kept for the backward pass but computed again (activation checkpointing). So the memory is
    that of one such pass for any W; the price is a second forward pass.

    Args:
        names: W names, cleaned here.
        tower: the frozen text tower.
        count: M.
        name_position: of the name: behind the context ('end'), in its middle, or before it ('front').

    Raises:
        UserError: names that leave no room for the context; a tokenizer that makes more or less
            than one token of a letter.
    """

    def __init__(
        self,
        names: Sequence[str],
        tower: TextTower,
        count: int,
        name_position: NamePosition = "end",
    ) -> None:
        names = [clean_name(name) for name in names]
        _, lengths = tower.tokenize(names)
        _check_room(names, lengths + count + 1, tower, count)
        before = {"front": 0, "middle": count // 2, "end": count}[name_position]
        front, back = [PLACEHOLDER] * before, [PLACEHOLDER] * (count - before)
        texts = [" ".join([*front, name, *back]) + "." for name in names]
        self.tower = tower
        self.embedded, self.lengths = tower.token_embeddings(texts)
        place_of = torch.arange(count).expand(len(names), count)
        # behind the start; the second part of the context also behind the name
        places = 1 + place_of + (place_of >= before) * (lengths[:, None] - 2)
        self.places = places.to(tower.device)[..., None].expand(-1, -1, tower.width)
        letter = tower.token_embeddings([PLACEHOLDER])[0][0, 1]
        if not (self.embedded.gather(1, self.places) == letter).all():
            raise UserError(
                "the teacher's tokenizer does not make one token of each single letter; learned "
                "prompts need one that does, such as CLIP's"
            )

    def __len__(self) -> int:
        return len(self.embedded)

    def encode(self, context: Tensor, title: str | None = None) -> Tensor:
        """The names' embeddings with a context, which gradients reach.

        Args:
            context: (M, width) float32.
            title: show a progress bar of this title.

        Returns:
            (W, D) float32, unit norm.
        """
        passes = torch.arange(len(self), device=context.device).split(NAMES_A_PASS)
        passes = progress(
            passes, title=title or "", unit="pass", disable=title is None, leave=False
        )
        parts = [
            checkpoint(self._encode, context, rows, use_reentrant=False, preserve_rng_state=False)
            for rows in passes
        ]
        return torch.cat(parts)

    def _encode(self, context: Tensor, rows: Tensor) -> Tensor:
        places = self.places[rows]
        filled = self.embedded[rows].scatter(1, places, context.expand(len(rows), -1, -1))
        return normalize(self.tower.encode_embedded(filled, self.lengths[rows]), dim=-1)


def random_context(count: int, tower: TextTower, seed: int) -> Tensor:
    """(count, width) float32, N(0, 0.02), the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(count, tower.width, generator=generator) * STD).to(tower.device)


def context_of(text: str, tower: TextTower) -> Tensor:
    """The (M, width) token embeddings of a text such as "a photo of a", to start from.

    Raises:
        UserError: no words, or too long a text.
    """
    embedded, lengths = tower.token_embeddings([text])
    context = embedded[0, 1 : int(lengths[0]) - 1]
    if not len(context):
        raise UserError(f"got {text!r} to start from; expected words, e.g. 'a photo of a'")
    return context


def _check_room(names: Sequence[str], lengths: Tensor, tower: TextTower, count: int) -> None:
    long = (lengths > tower.context_length).nonzero().flatten().tolist()
    if long:
        shown = ", ".join(f"{names[row]!r}" for row in long[:5])
        raise UserError(
            f"{len(long)} names are too long for {count} context vectors beside them in the "
            f"teacher's {tower.context_length} tokens: {shown}; expected fewer vectors "
            "(--context), or shorter names"
        )
