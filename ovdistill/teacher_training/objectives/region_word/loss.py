"""Formulas of region-word matching on plain tensors (this file imports torch only).

Shapes: B boxes, M phrases, L tokens of a phrase, D embedding width. The focal loss is that of the
detector: ``ovdistill.distillation.region_word.loss.focal_loss``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def phrase_targets(phrases: Tensor, phrase_index: Tensor) -> Tensor:
    """Return which phrases fit each box: its own, and any that has the same tokens.

    Args:
        phrases: (M, L) int64 tokens.
        phrase_index: (B,) int64 in [0, M), the phrase of each box.

    Returns:
        (B, M) bool.
    """
    same = (phrases[:, None] == phrases).all(dim=-1)
    return same[phrase_index]


def region_word_logits(
    regions: Tensor, phrases: Tensor, scale: Tensor | float, bias: Tensor | float
) -> Tensor:
    """Return scaled cosines of regions and phrases with a bias.

    Source: GLIP (Li et al., arXiv 2112.03857), equation 3, whose code adds a bias and divides by a
    learned temperature. SigLIP (arXiv 2303.15343) has the same form on whole images.

    Args:
        regions: (B, D) any norm.
        phrases: (M, D) any norm.
        scale: factor on cosines.
        bias: added to each logit; negative, because most pairs do not fit.

    Returns:
        (B, M) float32.
    """
    with torch.autocast(regions.device.type, enabled=False):
        regions, phrases = (F.normalize(rows.float(), dim=-1) for rows in (regions, phrases))
        return scale * (regions @ phrases.T) + bias


def pair_sigmoid_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the binary cross-entropy of each pair, summed over phrases, a mean over boxes.

    Source: Detic's code (arXiv 2201.02605); SigLIP, algorithm 1, on images and texts.

    Args:
        logits: (B, M).
        targets: (B, M) bool.

    Returns:
        Scalar. Zero, with a graph, for B = 0.
    """
    losses = F.binary_cross_entropy_with_logits(
        logits.float(), targets.to(torch.float32), reduction="sum"
    )
    return losses / max(len(logits), 1)
