"""Region-word alignment on plain tensors (this file imports torch only).

Shapes: N images, R sampled RoIs, P distillation regions, W class names, T tokens, M noun phrases, D
embedding width. The softmax over classes and background is ``vild_text_loss``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def sigmoid_loss(
    logits: Tensor, labels: Tensor, considered: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Return the binary cross-entropy of each class; background is a negative for every class.

    Source: Detic's and RKD's code: summed over classes, divided by the number of RoIs.

    Args:
        logits: (R, W).
        labels: (R,) int64 in [0, W]; W is the background.
        considered: (W,) bool; False leaves a class out of the sum (a novel class, or one that the
            federated loss did not draw).
        weights: (R,) weight of each RoI; all one by default.

    Returns:
        Scalar. Zero, with a graph, for R = 0.
    """
    logits = logits.float()
    targets = F.one_hot(labels, logits.shape[1] + 1)[:, :-1].to(logits.dtype)
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    losses = torch.where(considered, losses, 0).sum(dim=1)
    if weights is None:
        return losses.sum() / max(len(losses), 1)
    return (losses * weights).sum() / (weights > 0).sum().clamp(min=1)


def focal_loss(
    logits: Tensor,
    targets: Tensor,
    considered: Tensor,
    alpha: float = 0.25,
    gamma: float = 2.0,
    weights: Tensor | None = None,
) -> Tensor:
    """Return the sigmoid focal loss of each token, divided by the number of positive RoIs.

    Source: GLIP's code (token sigmoid focal loss): padded tokens are left out. There the number is
    a mean over ranks; here it is that of this rank, so that a batch without a labelled object,
    which is divided by 1, weighs a hundred times more: train on images with labels
    (``filter_cfg``).

    Args:
        logits: (R, T).
        targets: (R, T) in {0, 1}; a RoI may have several tokens.
        considered: (T,) bool, False for padding and for tokens that only novel classes have.
        alpha: weight of a positive; a negative has weight 1 - alpha.
        gamma: exponent of the modulating factor.
        weights: (R,) weight of each RoI; all one by default.

    Returns:
        Scalar: the sum, divided by the number of RoIs with a target (1 if there is none). Zero,
        with a graph, for R = 0.
    """
    logits, targets = logits.float(), targets.float()
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p = logits.sigmoid()
    missed = p * (1 - targets) + (1 - p) * targets
    losses = (alpha * targets + (1 - alpha) * (1 - targets)) * missed**gamma * entropy
    if weights is not None:
        losses = losses * weights[:, None]
    positives = targets.amax(dim=1).sum() if targets.shape[1] else targets.sum()
    return torch.where(considered, losses, 0).sum() / positives.clamp(min=1)


def merge_tokens(probabilities: Tensor, positive_map: Tensor) -> Tensor:
    """Return the score of each class: the mean of the sigmoids of its tokens.

    Source: GLIP's inference.

    Args:
        probabilities: (R, T) sigmoids of the tokens.
        positive_map: (W, T) bool, the tokens of each class name.

    Returns:
        (R, W) in [0, 1]; zero for a class name without tokens.
    """
    share = positive_map.to(probabilities.dtype)
    return probabilities @ (share / share.sum(dim=1, keepdim=True).clamp(min=1)).T


def federated_classes(
    labels: Tensor, counts: Tensor, number: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw the classes that a federated loss considers: those of the batch, and random others.

    Source: Detic's and RKD's code for LVIS: 50 classes, drawn with a probability that grows with
    the square root of their count; a class without training images is never drawn.

    Args:
        labels: (R,) int64 in [0, W]; W is the background.
        counts: (W,) training images (or boxes) of each class; zero for novel classes.
        number: how many classes to consider; more if the batch itself has more.
        generator: source of the random draw; torch's global one by default.

    Returns:
        (W,) bool.
    """
    present = torch.zeros(len(counts) + 1, dtype=torch.bool, device=labels.device)
    present = present.index_fill(0, labels, value=True)[:-1]
    # the exponential race draws without replacement and without a round trip to the host
    race = torch.empty_like(counts, dtype=torch.float32).exponential_(generator=generator)
    key = counts.float().sqrt() / race
    key = torch.where(present, torch.inf, key)
    drawn = torch.zeros_like(present)
    drawn[key.topk(min(number, len(counts))).indices] = True
    return (drawn & (counts > 0)) | present


def phrase_region_loss(
    regions: Tensor,
    region_index: Tensor,
    phrases: Tensor,
    phrase_index: Tensor,
    images: int,
    scale: float,
) -> Tensor:
    """Return the region-word loss of captions: each phrase has to find its image.

    The score of phrase m in image n is that of the best region there,
    ``s_mn = scale * max_{p in n} u_m . e_p``; cross-entropy over the images that have regions.

    Args:
        regions: (P, D) region embeddings of the detector.
        region_index: (P,) int64 image of each region.
        phrases: (M, D) embeddings of noun phrases by the teacher. Receives no gradient.
        phrase_index: (M,) int64 image of each phrase.
        images: N.
        scale: factor on cosines, the inverse of a temperature.

    Returns:
        Scalar: the mean over the phrases whose image has a region. Zero, with a graph, if there is
        no such phrase.
    """
    regions = F.normalize(regions.float(), dim=-1)
    phrases = F.normalize(phrases.detach().float(), dim=-1)
    with torch.autocast(regions.device.type, enabled=False):  # bf16 loses the best region
        similarity = phrases @ regions.T
    # (M, N): the best region of each image; an image without regions stays below every cosine
    best = similarity.new_full((len(phrases), images), -2.0)
    best = best.scatter_reduce(1, region_index.expand_as(similarity), similarity, reduce="amax")
    absent = best < -1.5
    log_p = (scale * best).masked_fill(absent, -torch.inf)
    own_absent = absent.gather(1, phrase_index[:, None])[:, 0]
    # a row without its image has no loss; zeros keep its softmax finite
    log_p = torch.where(own_absent[:, None], scale * best, log_p).log_softmax(dim=1)
    own = log_p.gather(1, phrase_index[:, None])[:, 0]
    return -torch.where(own_absent, 0, own).sum() / (~own_absent).sum().clamp(min=1)
