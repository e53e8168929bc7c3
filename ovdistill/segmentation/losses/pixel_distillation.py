"""Distillation of a dense teacher into pixels (this file imports torch only).

Zhou et al., "Extract Free Dense Labels from CLIP" (MaskCLIP and MaskCLIP+), ECCV 2022, arXiv
2112.01071.

Shapes: N images, h x w grid of a segmentor, W class names, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor


def pixel_embedding_loss(student: Tensor, teacher: Tensor, chosen: Tensor) -> Tensor:
    """Return the cosine distance of student and teacher, a mean over the chosen pixels.

    Args:
        student: (N, D, h, w) unit norm along D.
        teacher: (N, D, h, w) unit norm along D. Receives no gradient.
        chosen: (N, h, w) bool.

    Returns:
        Scalar: the mean of ``1 - cos``, in [0, 2]. Zero, with a graph, where no pixel is chosen.
    """
    distance = 1 - (student.float() * teacher.detach().float()).sum(dim=1)
    return (distance * chosen).sum() / chosen.sum().clamp(min=1)


def pseudo_labels(logits: Tensor, wanted: Tensor, candidates: Tensor, least: float = 0.0) -> Tensor:
    """Return the best candidate of each wanted pixel.

    Source: MaskCLIP+, section 3.3: the labels of pixels that nobody labelled are the predictions of
    MaskCLIP, and later those of the network that is trained. In the zero-shot setting the paper
    takes the unseen names as candidates. The released code has a threshold too, off by default; it
    is one of cosines, and here one of probabilities, so that it means the same for every teacher.

    Args:
        logits: (N, h, w, W) similarities over the temperature of the one who judges, the teacher
            or the student.
        wanted: (N, h, w) bool: the pixels to label.
        candidates: (W,) bool: the names to choose from.
        least: a pixel whose best candidate has a lower probability among the candidates stays
            unlabelled.

    Returns:
        (N, h, w) int64: rows of class names, -1 where a pixel has no pseudo label.
    """
    logits = logits.detach().masked_fill(~candidates, -torch.inf)
    best, labels = logits.softmax(dim=-1).max(dim=-1)
    return labels.masked_fill(~wanted | (best < least) | ~candidates.any(), -1)
