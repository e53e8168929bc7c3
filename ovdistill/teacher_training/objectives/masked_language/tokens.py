"""Hides tokens of texts and predicts them from hidden states.

Shapes: N texts, L tokens of a text, K positions that may be hidden, W width of the states.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.objectives.masked_language.loss import (
    draw_positions,
    hide_tokens,
    masked_token_loss,
)
from ovdistill.teacher_training.towers import Towers


class HiddenTokens(NamedTuple):
    """Texts whose chosen tokens are hidden.

    Attributes:
        tokens: (N, L) int64, what the tower sees.
        positions: (N, K) int64.
        chosen: (N, K) bool, the positions that have to be predicted.
        targets: (N, K) int64, the tokens that stood there.
    """

    tokens: Tensor
    positions: Tensor
    chosen: Tensor
    targets: Tensor


class MaskedTokens(nn.Module):
    """BERT's rule of hiding tokens, and its head that predicts them.

    The head is BERT's (linear, GELU, normalisation, linear) with a last layer of its own instead of
    the token embeddings transposed.

    Args:
        width: W of the states that the head reads.
        towers: give the vocabulary and the mask token.
        share: of the tokens between start and end that have to be predicted.

    Raises:
        UserError: the share is out of its range.
    """

    def __init__(self, width: int, towers: Towers, share: float) -> None:
        super().__init__()
        if not 0 < share <= 1:
            raise UserError(f"masked texts with a share of {share}; expected above 0 up to 1")
        self.share = share
        self.mask_token, self.vocab_size = towers.mask_token, towers.vocab_size
        self.head = nn.Sequential(
            nn.Linear(width, width),
            nn.GELU(),
            nn.LayerNorm(width),
            nn.Linear(width, self.vocab_size),
        )

    def hide(self, tokens: Tensor) -> HiddenTokens:
        """Hide tokens of (N, L) int64 texts."""
        positions, chosen = draw_positions(tokens, self.share)
        hidden = hide_tokens(tokens, positions, chosen, self.mask_token, self.vocab_size)
        return HiddenTokens(hidden, positions, chosen, tokens.gather(1, positions))

    def loss(self, states: Tensor, hidden: HiddenTokens) -> Tensor:
        """Return the cross-entropy of the hidden tokens, given (N, L, W) states of the texts."""
        index = hidden.positions[..., None].expand(-1, -1, states.shape[-1])
        logits = self.head(states.gather(1, index))
        return masked_token_loss(logits, hidden.targets, hidden.chosen)
