"""RKD's formulas on plain tensors (this file imports torch only).

Shapes: P distillation regions of all images of a rank, M pseudo labels, W classes, D embedding
width.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def point_loss(student: Tensor, teacher: Tensor, reduction: Literal["sum", "mean"]) -> Tensor:
    """Return the point-wise loss: L1 distance between unit embeddings, averaged over regions.

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        reduction: over the D entries: 'sum' in the paper (equation 1), 'mean' in the released
            code, which then multiplies by 100 (that is 100 / 512 = 0.195 of the sum).

    Returns:
        Scalar. Zero, with a graph, for P = 0.
    """
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    total = (student - teacher).abs().sum() / max(len(student), 1)
    return total / student.shape[1] if reduction == "mean" else total


def relation_loss(
    student: Tensor, teacher: Tensor, row_norm: int, reduction: Literal["sum", "mean"]
) -> Tensor:
    """Return the relation loss: squared difference of the similarities among regions.

    ``G_E`` holds the cosines among the student's embeddings, ``G_V`` those among the teacher's,
    each row normalised to unit norm. Paper and code differ: the paper (equation 2) uses the L2 norm
    and the mean over P x P; the released code the L1 norm and the plain sum, which grows with P.

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        row_norm: norm of the rows, 1 or 2.
        reduction: 'sum' or 'mean' over the P x P entries.

    Returns:
        Scalar. Zero, with a graph, for P = 0.
    """
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    # float32 even under autocast: differences of cosines are near the resolution of bf16
    with torch.autocast(student.device.type, enabled=False):
        relations = F.normalize(student @ student.T, p=row_norm, dim=1)
        targets = F.normalize(teacher @ teacher.T, p=row_norm, dim=1)
    total = (relations - targets).square().sum()
    return total / max(len(student) ** 2, 1) if reduction == "mean" else total


def pseudo_label_loss(
    logits: Tensor,
    targets: Tensor,
    kept: Tensor,
    image_index: Tensor,
    images: int,
    class_weights: Tensor | None = None,
) -> Tensor:
    """Return the image-level loss, with one region as pseudo box for each label of an image.

    ``(1 / N) sum_n (1 / M_n) sum_{m of n} sum_w BCE_mw``: binary cross-entropy against the one-hot
    row of the label, summed over classes, averaged over the labels of an image, then over images.
    Source: RKD, equation 4 and the released code.

    Args:
        logits: (M, W) of the pseudo boxes.
        targets: (M, W) in {0, 1}.
        kept: (M,) bool, the pseudo labels to use.
        image_index: (M,) int64 index in [0, N) of the image that a label belongs to.
        images: N, the images of this rank, those without a label too.
        class_weights: (W,) weight of each class in the sum; all one by default.

    Returns:
        Scalar. Zero, with a graph, if none is kept.
    """
    losses = F.binary_cross_entropy_with_logits(logits.float(), targets.float(), reduction="none")
    if class_weights is not None:
        losses = losses * class_weights
    labels = losses.new_zeros(images).index_add(0, image_index, kept.to(losses.dtype))
    shares = kept / labels.clamp(min=1)[image_index]
    return (losses.sum(dim=1) * shares).sum() / images
