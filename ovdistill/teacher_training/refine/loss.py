"""The loss of CLIPSelf (Wu et al., arXiv 2310.01403, equation 1).

Shapes: P boxes of a batch of images, D embedding width.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def self_distillation_loss(dense: Tensor, crops: Tensor) -> Tensor:
    """Compare what the image tower sees in boxes of an image with what it saw in their crops.

    Args:
        dense: (P, D) pooled dense features of the boxes, of the tower in training; any norm.
        crops: (P, D) embeddings of the boxes' crops, of the frozen tower; any norm.

    Returns:
        Scalar: the mean over boxes of 1 - cosine, in [0, 2]; 0 with graph for P = 0.
    """
    if not len(dense):
        return dense.sum()
    return (1 - F.cosine_similarity(dense, crops.detach(), dim=-1)).mean()
