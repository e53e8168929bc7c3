"""DetPro's formulas on plain tensors (this file imports torch only).

Shapes: R regions of a batch, W base words. Label W is the background.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_background_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy with the region's word, or for background with the uniform distribution.

    Source: DetPro's "soft" background loss as in its released code: ``sum_r w_r l_r / sum_r w_r``
    over the batch, where ``l_r = -log p_r,y`` for a region of word y
    and ``l_r = -1/W sum_c log p_r,c`` for background. A background region so looks like no word
    more than like another. The least that it can cost is log W.

    Args:
        logits: (R, W) similarities over temperature, R at least 1.
        labels: (R,) int64 in [0, W]; W is the background.
        weights: (W + 1,) from ``class_weights``.

    Returns:
        Scalar, float32.
    """
    log_p = F.log_softmax(logits.float(), dim=1)
    words = log_p.shape[1]
    own = log_p.gather(1, labels.clamp(max=words - 1)[:, None])[:, 0]
    losses = -torch.where(labels == words, log_p.mean(dim=1), own)
    weights = weights[labels]
    return (weights * losses).sum() / weights.sum()


def class_weights(labels: Tensor, words: int) -> Tensor:
    """One over the frequency of each word and of the background, over all samples.

    Source: DetPro's released code. ``w_c = 1 / freq_c`` with ``freq_c = n_c W / n`` for words, so
    that all words weigh alike, and ``freq_bg = 2 n_bg / n``.

    Args:
        labels: (n,) int64 in [0, W] of all samples; W is the background.
        words: W.

    Returns:
        (W + 1,) float32; 0 for what has no sample.
    """
    counts = torch.bincount(labels, minlength=words + 1).float()
    share = torch.full_like(counts, words)
    share[words] = 2
    frequency = counts * share / len(labels)
    return torch.where(counts > 0, 1 / frequency, 0)
