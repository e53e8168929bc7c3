"""Formulas of masked language modelling on plain tensors (this file imports torch only).

Shapes: N texts, L tokens of a text, K positions of each text that may be hidden, V tokens of the
vocabulary. Every shape is known without looking at the tokens, so nothing waits for the device.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.teacher_training.batch import is_text

MASKED, RANDOM = 0.8, 0.1  # shares of the chosen tokens; the rest stays as it is


def draw_positions(tokens: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Draw the positions of each text whose tokens have to be predicted.

    Source: BERT (Devlin et al., arXiv 1810.04805), section 3.1: 15 % of the tokens; as in the
    released code, at least one of each text, and never its first and last (start and end) or those
    behind. Torch's global generator draws.

    Args:
        tokens: (N, L) int64, zeros behind the end.
        share: of the tokens between start and end, in (0, 1].

    Returns:
        (N, K) int64 positions, each once in a row; (N, K) bool, False where a text has fewer.
    """
    text = is_text(tokens)
    allowed = F.pad(text[:, 1:], (0, 1)) & text  # all but the last
    allowed = F.pad(allowed[:, 1:], (1, 0))  # and the first
    count = allowed.sum(dim=1)
    number = (count * share).round().clamp(min=1).minimum(count)
    length = tokens.shape[1]
    score = torch.rand(tokens.shape, device=tokens.device).masked_fill(~allowed, -1)
    positions = score.topk(min(length, math.ceil(share * length)), dim=1).indices
    return positions, torch.arange(positions.shape[1], device=tokens.device) < number[:, None]


def hide_tokens(
    tokens: Tensor, positions: Tensor, chosen: Tensor, mask_token: int, vocab_size: int
) -> Tensor:
    """Replace chosen tokens: 80 % by the mask token, 10 % by a random one, 10 % by themselves.

    Source: BERT, section 3.1 and appendix A.1. Torch's global generator draws.

    Args:
        tokens: (N, L) int64.
        positions: (N, K) int64, from ``draw_positions``.
        chosen: (N, K) bool.
        mask_token: id of the mask token.
        vocab_size: V; random tokens are never 0, which stands behind the end of a text.

    Returns:
        (N, L) int64.
    """
    own = tokens.gather(1, positions)
    fate = torch.rand(own.shape, device=tokens.device)
    replaced = torch.where(fate < MASKED + RANDOM, torch.randint_like(own, 1, vocab_size), own)
    replaced = torch.where(fate < MASKED, mask_token, replaced)
    return tokens.scatter(1, positions, torch.where(chosen, replaced, own))


def masked_token_loss(logits: Tensor, targets: Tensor, chosen: Tensor) -> Tensor:
    """Return the cross-entropy of the tokens that have to be predicted, a mean over them.

    Source: BERT, section 3.1; tokens that were chosen but left as they are count too.

    Args:
        logits: (N, K, V).
        targets: (N, K) int64.
        chosen: (N, K) bool.

    Returns:
        Scalar. Zero, with a graph, if no token is chosen.
    """
    losses = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none")
    return (losses * chosen.flatten()).sum() / chosen.sum().clamp(min=1)
