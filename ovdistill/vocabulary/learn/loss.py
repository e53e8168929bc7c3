"""DetPro's formulas on plain tensors (this file imports torch only).

Shapes: n samples, R regions of a batch, W base classes. Label W is the background.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_background_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return the cross-entropy with the class, for background with the uniform distribution.

    Source: DetPro's "soft" background loss as in its released code: ``sum_r w_r l_r / sum_r w_r``
    over the batch, where ``l_r = -log p_r,y`` for a region of class y
    and ``l_r = -1/W sum_c log p_r,c`` for background. So a background region is taught to be no
    more like one class than like another. Its smallest possible loss is log W.

    Args:
        logits: (R, W) similarities over temperature, R at least 1.
        labels: (R,) int64 in [0, W]; W is the background.
        weights: (W + 1,) float32, from ``class_weights``.

    Returns:
        Scalar, float32.
    """
    log_p = F.log_softmax(logits.float(), dim=1)
    background = log_p.shape[1]
    of_class = log_p.gather(1, labels.clamp(max=background - 1)[:, None])[:, 0]
    losses = -torch.where(labels == background, log_p.mean(dim=1), of_class)
    weights = weights[labels]
    return (weights * losses).sum() / weights.sum()


def class_weights(labels: Tensor, num_classes: int) -> Tensor:
    """Return the inverse frequency of each class and of the background, over all samples.

    Source: DetPro's released code. ``w_c = 1 / freq_c`` with ``freq_c = n_c W / n`` for classes, so
    that all classes have the same total weight, and ``freq_bg = 2 n_bg / n``.

    Args:
        labels: (n,) int64 in [0, W] of all samples; W is the background.
        num_classes: W.

    Returns:
        (W + 1,) float32; 0 for a class without samples.
    """
    counts = torch.bincount(labels, minlength=num_classes + 1).float()
    share = torch.full_like(counts, num_classes)
    share[num_classes] = 2
    frequency = counts * share / len(labels)
    return torch.where(counts > 0, 1 / frequency, 0)
