"""Formulas of image-text matching on plain tensors (this file imports torch only).

Shapes: N pairs of an image and a text, L tokens of a text.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def mismatches(labels: Tensor, tokens: Tensor) -> Tensor:
    """Return which image and text of a batch do not fit each other.

    Args:
        labels: (N,) int64, see ``TrainingBatch``; images and texts of one label fit, negative
            labels are none.
        tokens: (N, L) int64; an image fits every text that is the same as its own.

    Returns:
        (N, N) bool, symmetric; False on the diagonal.
    """
    same_label = (labels[:, None] == labels) & (labels >= 0)
    same_text = (tokens[:, None] == tokens).all(dim=-1)
    return ~(same_label | same_text)


def draw_negatives(logits: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """Draw one negative for each row, with the probabilities of a softmax over the allowed ones.

    Source: ALBEF (Li et al., arXiv 2107.07651), section 3.2: hard negatives follow the contrastive
    similarity inside of the batch. Zeros as logits draw uniformly (FLAVA, arXiv 2112.04482).
    Torch's global generator draws.

    Args:
        logits: (N, N) similarities over temperature. Receive no gradient.
        allowed: (N, N) bool.

    Returns:
        (N,) int64 columns; (N,) bool, False for a row that has no negative.
    """
    # the largest of logits with Gumbel noise is a draw from their softmax, without a wait for
    # the device
    noise = -torch.empty_like(logits, dtype=torch.float32).exponential_().log()
    score = (logits.detach().float() + noise).masked_fill(~allowed, -torch.inf)
    return score.argmax(dim=1), allowed.any(dim=1)


def matching_loss(fitting: Tensor, other: Tensor, found: Tensor) -> Tensor:
    """Return the binary cross-entropy of pairs that fit and of pairs that do not.

    Source: ALBEF, equation 4: a mean over N pairs that fit, N images with a wrong text and N texts
    with a wrong image. A sigmoid of one logit stands for its softmax of two.

    Args:
        fitting: (N,) logits of pairs that fit.
        other: (M,) logits of pairs that do not.
        found: (M,) bool, False for a pair that is left out.

    Returns:
        Scalar.
    """
    losses = F.softplus(-fitting.float()).sum() + (F.softplus(other.float()) * found).sum()
    return losses / (found.sum() + len(fitting))
