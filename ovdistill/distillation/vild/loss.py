"""ViLD's formulas on plain tensors (this file imports torch only).

Shapes: R sampled RoIs, P distillation regions, W class names, D embedding width. Logits have W + 1
columns; the last one is the background.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def vild_text_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return L_ViLD-text: softmax cross-entropy over classes and background.

    Source: ViLD, equation 4. Novel classes are left out: their columns are ``-inf``.

    Args:
        logits: (R, W + 1) similarities over temperature; novel columns -inf.
        labels: (R,) int64 in [0, W]; W is the background. Never a novel class.
        weights: (R,) weight of each RoI; all one by default.

    Returns:
        Scalar: the weighted sum, divided by the number of RoIs with a weight above zero (a mean
        over the sampled RoIs of this rank). Zero, with a graph, for R = 0.
    """
    if labels.numel() == 0:
        return torch.where(logits.isfinite(), logits, 0).sum()
    losses = F.cross_entropy(logits.float(), labels, reduction="none")
    if weights is None:
        return losses.mean()
    return (losses * weights).sum() / (weights > 0).sum().clamp(min=1)


def vild_image_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return L_ViLD-image: mean over regions of the L1 distance between unit embeddings.

    Source: ViLD, equation 5; the released training code averages over the regions of all images
    of a rank and sums over the D entries, which is the unit of the published weight w = 0.5
    (for D = 512, 0.5 x this sum equals 256 x the mean over entries).

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.

    Returns:
        Scalar: ``mean_p sum_d |v_pd - e_pd|`` after both sides are normalised. Zero,
        with a graph, for P = 0.
    """
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    return (student - teacher).abs().sum() / max(len(student), 1)


def ensemble_log_scores(
    log_text: Tensor, log_image: Tensor, is_base: Tensor | None, text_share: float = 2 / 3
) -> Tensor:
    """Return the ViLD-ensemble scores: weighted geometric mean of two heads' probabilities.

    Source: ViLD, equation 7, in logarithms. Base classes: ``p_text^a * p_image^(1-a)``; novel
    classes with the exponents swapped. The result is not normalised again.

    Args:
        log_text: (R, W) log-probabilities of the text head.
        log_image: (R, W) log-probabilities of the image head.
        is_base: (W,) bool, True for a base class. None if a detector is transferred to other
            classes, which are neither base nor novel: all then have the exponents of base classes
            (DetPro: 0.6).
        text_share: the exponent ``a`` of the text head for base classes, in [0, 1].

    Returns:
        (R, W) log-scores, finite wherever both inputs are.
    """
    share: Tensor | float = text_share
    if is_base is not None:
        share = torch.where(is_base, text_share, 1 - text_share).to(log_text)
    return share * log_text + (1 - share) * log_image
