"""InfoNCE between images and texts on plain tensors (this file imports torch only).

Shapes: N pairs of one rank, M pairs of all ranks, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(rows: Tensor, others: Tensor, scale: Tensor | float, first: int = 0) -> Tensor:
    """Return the cross-entropy of finding the other half of each pair.

    ``-(1 / N) sum_i log(exp(s r_i . o_(first + i)) / sum_j exp(s r_i . o_j))``. Source: van den
    Oord et al., arXiv 1807.03748, equation 4.

    Args:
        rows: (N, D) unit norm.
        others: (M, D) unit norm; row ``first + i`` belongs to row ``i`` of ``rows``.
        scale: the factor that makes logits of cosines.
        first: see ``others``.

    Returns:
        Scalar, the mean over the N rows.
    """
    # float32 also under autocast: bfloat16 has steps of 0.5 at the logits of a scale of 100
    with torch.autocast(rows.device.type, enabled=False):
        logits = scale * rows.float() @ others.float().T
        targets = torch.arange(first, first + len(rows), device=rows.device)
        return F.cross_entropy(logits, targets)


def image_text_loss(
    images: Tensor,
    texts: Tensor,
    all_images: Tensor,
    all_texts: Tensor,
    scale: Tensor | float,
    first: int = 0,
) -> Tensor:
    """Return CLIP's loss: the mean of ``info_nce`` from images to texts and back.

    Source: CLIP, figure 3.

    Args:
        images: (N, D) unit norm.
        texts: (N, D) unit norm, a text for each image.
        all_images: (M, D), the images of all ranks.
        all_texts: (M, D), the texts of all ranks.
        scale: the factor that makes logits of cosines.
        first: index of this rank's first pair in those of all ranks.

    Returns:
        Scalar; its mean over ranks is the loss of the whole batch.
    """
    to_texts = info_nce(images, all_texts, scale, first)
    to_images = info_nce(texts, all_images, scale, first)
    return (to_texts + to_images) / 2
