"""The loss that methods of adaptation share, on plain tensors (this file imports torch only).

Shapes: n regions, C classes, D embedding width.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def name_loss(images: Tensor, texts: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return the mean cross-entropy of ``softmax(f . t / temperature)`` with the classes.

    Args:
        images: (n, D) embeddings of regions, unit norm.
        texts: (C, D) embeddings of class names, unit norm.
        labels: (n,) int64 in [0, C).
        temperature: the number that cosines are divided by.

    Returns:
        Scalar, float32.
    """
    return F.cross_entropy(images.float() @ texts.float().T / temperature, labels)
