"""Alignment of pixel embeddings with class names (this file imports torch only).

Li et al., "Language-driven Semantic Segmentation" (LSeg), ICLR 2022, arXiv 2201.03546.

Shapes: N images, h x w grid of a segmentor, W class names, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

NOT_LABELLED = -1


def pixel_word_logits(
    pixels: Tensor, texts: Tensor, temperature: float | Tensor, known: Tensor | None = None
) -> Tensor:
    """Return the cosines of pixels and class names over the temperature.

    Source: LSeg, section 3: the inner product of each pixel with each label's embedding.

    Args:
        pixels: (N, D, h, w) unit norm along D.
        texts: (W, D) unit norm.
        temperature: cosines are divided by it; 0.07 in LSeg.
        known: (W,) bool; the columns of other names are -inf, so that no loss depends on them.

    Returns:
        (N, h, w, W) float32, also under autocast: over a temperature of 0.01 cosines span +-100,
        where bfloat16 has steps of 0.5. The names come last, which costs half of the time on the
        CPU where embeddings are channels last in memory.
    """
    with torch.autocast(pixels.device.type, enabled=False):
        logits = pixels.float().movedim(1, -1) @ (texts.float() / temperature).T
    return logits if known is None else logits.masked_fill_(~known, -torch.inf)


def pixel_word_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the softmax cross-entropy over class names, a mean over the labelled pixels.

    Source: LSeg, equation 2.

    Args:
        logits: (N, h, w, W), see ``pixel_word_logits``.
        labels: (N, h, w) int64; -1 where a pixel is not labelled. Never a name of column -inf.
        weights: (N, h, w) weight of each pixel; all one by default.

    Returns:
        Scalar: the weighted sum divided by the number of labelled pixels. Zero, with a graph,
        where no pixel is labelled.
    """
    losses = F.cross_entropy(
        logits.flatten(0, 2), labels.flatten(), ignore_index=NOT_LABELLED, reduction="none"
    )
    if weights is not None:
        losses = losses * weights.flatten()
    return losses.sum() / (labels != NOT_LABELLED).sum().clamp(min=1)
