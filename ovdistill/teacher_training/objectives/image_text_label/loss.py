"""UniCL's formulas on plain tensors (this file imports torch only).

Shapes: N pairs of one rank, M pairs of all ranks, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def positives(labels: Tensor, all_labels: Tensor, first: int = 0) -> Tensor:
    """Return which pairs fit each other: those of one label, and a pair itself.

    Args:
        labels: (N,) int64 labels of this rank's pairs; negative where only the pair itself fits.
        all_labels: (M,) int64 labels of the pairs of all ranks.
        first: index of this rank's first pair in those of all ranks.

    Returns:
        (N, M) bool.
    """
    same = (labels[:, None] == all_labels) & (labels[:, None] >= 0)
    rows = torch.arange(len(labels), device=labels.device)
    same[rows, first + rows] = True
    return same


def soft_contrast(rows: Tensor, others: Tensor, positive: Tensor, scale: Tensor | float) -> Tensor:
    """Return the cross-entropy with a target that is spread evenly over the positives.

    ``-(1 / N) sum_i (1 / |P(i)|) sum_(k in P(i)) log(exp(s r_i . o_k) / sum_j exp(s r_i . o_j))``.
    Source: UniCL, equations 3 and 4, which sum over i in place of the mean.

    Args:
        rows: (N, D) unit norm.
        others: (M, D) unit norm.
        positive: (N, M) bool, at least one in each row; see ``positives``.
        scale: the factor that makes logits of cosines.

    Returns:
        Scalar, the mean over the N rows.
    """
    targets = positive / positive.sum(dim=1, keepdim=True)
    # float32 also under autocast: bfloat16 has steps of 0.5 at the logits of a scale of 100
    with torch.autocast(rows.device.type, enabled=False):
        return F.cross_entropy(scale * rows.float() @ others.float().T, targets)


def image_text_label_loss(
    images: Tensor,
    texts: Tensor,
    all_images: Tensor,
    all_texts: Tensor,
    positive: Tensor,
    scale: Tensor | float,
) -> Tensor:
    """Return UniCL's loss: the mean of ``soft_contrast`` from images to texts and back.

    Source: UniCL, equation 2, halved; so it is CLIP's loss where each pair has a label of its own.

    Args:
        images: (N, D) unit norm.
        texts: (N, D) unit norm, a text for each image.
        all_images: (M, D), the images of all ranks.
        all_texts: (M, D), the texts of all ranks.
        positive: (N, M) bool, see ``positives``.
        scale: the factor that makes logits of cosines.

    Returns:
        Scalar; its mean over ranks is the loss of the whole batch.
    """
    to_texts = soft_contrast(images, all_texts, positive, scale)
    to_images = soft_contrast(texts, all_images, positive, scale)
    return (to_texts + to_images) / 2
