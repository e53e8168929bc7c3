"""Prompts with a context that can be learned: [start, v_1 .. v_M, name, ".", end].

Source: Zhou et al., "Learning to Prompt for Vision-Language Models" (CoOp), IJCV 2022.

Shapes: W class names, M context vectors, L tokens of the longest prompt, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.checkpoint import checkpoint

from ovdistill.core.class_names import Spelling, spell_name
from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.teacher.text_tower import TextTower

NamePosition = Literal["front", "middle", "end"]
NAME_POSITIONS: tuple[NamePosition, ...] = ("front", "middle", "end")
PLACEHOLDER = "x"  # a text of one token, which a context vector replaces
INIT_STD = 0.02  # standard deviation of a random context (CoOp, DetPro)
NAMES_PER_PASS = 64


class ContextPrompts:
    """The prompts of W class names, around M context vectors that they share or have of their own.

    Names go through the tower ``NAMES_PER_PASS`` at a time, and what the tower computes in between
    is not kept for the backward pass but computed again (activation checkpointing). So the memory
    is that of one such pass for any W; the price is a second forward pass.

    Args:
        names: W class names.
        tower: the frozen text tower.
        num_vectors: M.
        name_position: the name stands behind the context ('end'), in its middle ('middle'), or
            before it ('front').
        spelling: how names stand in the prompts, see ``spell_name``.

    Raises:
        UserError: names that leave no room for the context; a tokenizer that makes more or less
            than one token of a single letter.
    """

    def __init__(
        self,
        names: Sequence[str],
        tower: TextTower,
        num_vectors: int,
        name_position: NamePosition = "end",
        spelling: Spelling = "plain",
    ) -> None:
        names = [spell_name(name, spelling) for name in names]
        _, lengths = tower.tokenize(names)
        _check_room(names, lengths + num_vectors + 1, tower, num_vectors)
        before = {"front": 0, "middle": num_vectors // 2, "end": num_vectors}[name_position]
        front, back = [PLACEHOLDER] * before, [PLACEHOLDER] * (num_vectors - before)
        texts = [" ".join([*front, name, *back]) + "." for name in names]
        self.tower = tower
        self.embedded, self.lengths = tower.token_embeddings(texts)
        vector = torch.arange(num_vectors).expand(len(names), num_vectors)
        # behind the start; the second part of the context also behind the name
        positions = 1 + vector + (vector >= before) * (lengths[:, None] - 2)
        self.positions = positions.to(tower.device)[..., None].expand(-1, -1, tower.width)
        letter = tower.token_embeddings([PLACEHOLDER])[0][0, 1]
        if not (self.embedded.gather(1, self.positions) == letter).all():
            raise UserError(
                "the teacher's tokenizer does not make one token of each single letter; learned "
                "prompts need one that does, such as CLIP's"
            )

    def __len__(self) -> int:
        return len(self.embedded)

    def encode(self, context: Tensor, title: str | None = None) -> Tensor:
        """Encode the names with a context; gradients reach the context.

        Args:
            context: (M, width) float32 for all names, or (W, M, width) with one for each.
            title: show a progress bar with this title; None shows none.

        Returns:
            (W, D) float32, unit norm.
        """
        passes = progress(
            torch.arange(len(self), device=context.device).split(NAMES_PER_PASS),
            title=title or "",
            unit="pass",
            disable=title is None,
            leave=False,
        )
        parts = [
            checkpoint(self._encode, context, rows, use_reentrant=False, preserve_rng_state=False)
            for rows in passes
        ]
        return torch.cat(parts)

    def _encode(self, context: Tensor, rows: Tensor) -> Tensor:
        positions = self.positions[rows]
        own = context.expand(len(rows), -1, -1) if context.ndim == 2 else context[rows]
        filled = self.embedded[rows].scatter(1, positions, own)
        return normalize(self.tower.encode_embedded(filled, self.lengths[rows]), dim=-1)


def random_context(num_vectors: int, tower: TextTower, seed: int) -> Tensor:
    """Draw a random context from N(0, 0.02^2), the same on every device.

    Returns:
        (num_vectors, width) float32, on the tower's device.
    """
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(num_vectors, tower.width, generator=generator) * INIT_STD).to(tower.device)


def context_from_text(text: str, tower: TextTower) -> Tensor:
    """Return the token embeddings of a text such as "a photo of a", to start learning from.

    Returns:
        (M, width) float32, where M is the number of tokens of the text without start and end.

    Raises:
        UserError: an empty text, or one that is too long.
    """
    embedded, lengths = tower.token_embeddings([text])
    context = embedded[0, 1 : int(lengths[0]) - 1]
    if not len(context):
        raise UserError(f"got {text!r} to start from; expected words, e.g. 'a photo of a'")
    return context


def check_name_position(value: str) -> NamePosition:
    """Return ``value`` as a position of the name; raise UserError if there is no such position."""
    for position in NAME_POSITIONS:
        if value == position:
            return position
    raise UserError(f"got name position {value!r}; expected one of: {', '.join(NAME_POSITIONS)}")


def _check_room(names: Sequence[str], lengths: Tensor, tower: TextTower, num_vectors: int) -> None:
    too_long = (lengths > tower.context_length).nonzero().flatten().tolist()
    if too_long:
        shown = ", ".join(f"{names[row]!r}" for row in too_long[:5])
        raise UserError(
            f"{len(too_long)} names are too long for {num_vectors} context vectors beside them in "
            f"the teacher's {tower.context_length} tokens: {shown}; expected fewer vectors "
            "(--context), or shorter names"
        )
