"""HierKD's formulas on plain tensors (this file imports torch only).

Shapes: N images, P regions, K patches of an image, M phrases, D embedding width.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.distributed.nn.functional import all_gather


def instance_loss(student: Tensor, teacher: Tensor, kept: Tensor, norm: float = 2) -> Tensor:
    """Instance level: distance to the teacher, averaged over the regions of labelled objects.

    Source: HierKD's released code (losses/kd_ins_loss.py): L2 in the final model, L1 in others.

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        kept: (P,) bool, the regions to take.
        norm: 2 for the L2 norm, 1 for the sum of absolute differences.

    Returns:
        Scalar ``mean_{p kept} ||v_p - e_p||`` after both sides are brought to unit norm. Zero,
        with a graph, where none is kept.
    """
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    distance = torch.linalg.vector_norm(student - teacher, ord=norm, dim=-1)
    return (distance * kept).sum() / kept.sum().clamp(min=1)


def attend(patches: Tensor, texts: Tensor) -> Tensor:
    """What each text sees in each image: the image's patches, weighted by their similarity.

    Source: HierKD, section 3.3; no temperature inside.

    Args:
        patches: (N, K, D) unit norm.
        texts: (M, D) unit norm.

    Returns:
        (M, N, D) unit norm.
    """
    attention = torch.einsum("md,nkd->mnk", texts, patches).softmax(dim=-1)
    return F.normalize(torch.einsum("mnk,nkd->mnd", attention, patches), dim=-1)


def text_image_similarity(patches: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
    """(N, K, D) patches and (M, D) texts -> (M, N) scaled cosines after ``attend``."""
    return scale * torch.einsum("mnd,md->mn", attend(patches, texts), texts)


def gather_rows(rows: Tensor) -> tuple[Tensor, int]:
    """The rows of all ranks, as many on each, with gradient; and where this rank's begin."""
    if not (dist.is_available() and dist.is_initialized()):
        return rows, 0
    return torch.cat(all_gather(rows)), dist.get_rank() * len(rows)


def caption_loss(
    patches: Tensor, captions: Tensor, scale: Tensor | float, gather: bool = False
) -> Tensor:
    """Global level: each image's caption tells it from the batch's other images, and back.

    Source: HierKD, equations 5-7; the released code adds the cross-entropies over rows and over
    columns without halving, on the images of one rank.

    Args:
        patches: (N, K, D) of the student, any norm.
        captions: (N, D) by the teacher, a caption for each image. Receives no gradient.
        scale: kappa, learnable, 10 at first.
        gather: contrast with the images and captions of all ranks (as many on each). The mean
            over ranks of the result is then the loss of the whole batch.

    Returns:
        Scalar. Zero for one image, up to rounding.
    """
    patches = F.normalize(patches.float(), dim=-1)
    captions = F.normalize(captions.detach().float(), dim=-1)
    targets = torch.arange(len(captions), device=captions.device)
    all_patches, all_captions = patches, captions
    if gather:
        all_patches, first = gather_rows(patches)
        all_captions, _ = gather_rows(captions)
        targets = targets + first
    images = text_image_similarity(all_patches, captions, scale)
    texts = text_image_similarity(patches, all_captions, scale).T
    return F.cross_entropy(images, targets) + F.cross_entropy(texts, targets)


def phrase_loss(
    patches: Tensor,
    phrases: Tensor,
    image_index: Tensor,
    scale: Tensor | float,
    gather: bool = False,
) -> Tensor:
    """Global level with noun phrases: each phrase tells its image from the others.

    Source: HierKD's released code: log-softmax over images, mean over the phrases of an image,
    mean over images, counted twice.

    Args:
        patches: (N, K, D) of the student, any norm.
        phrases: (M, D) by the teacher. Receives no gradient.
        image_index: (M,) int64, the image that a phrase belongs to.
        scale: kappa.
        gather: contrast with the images of all ranks (as many on each). The mean over ranks of
            the result is then the loss of the whole batch where every image has a phrase.

    Returns:
        Scalar: the mean runs over the images that have a phrase. Zero, with a graph, for M = 0.
    """
    patches = F.normalize(patches.float(), dim=-1)
    phrases = F.normalize(phrases.detach().float(), dim=-1)
    all_patches, first = gather_rows(patches) if gather else (patches, 0)
    log_p = text_image_similarity(all_patches, phrases, scale).log_softmax(dim=1)
    own = log_p.gather(1, image_index[:, None] + first)[:, 0]
    counts = torch.bincount(image_index, minlength=len(patches))
    shares = own / counts[image_index]
    return -2 * shares.sum() / (counts > 0).sum().clamp(min=1)


def softmax_focal_loss(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor,
    normalizer: Tensor | float,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Tensor:
    """Focal loss over a softmax of words and background, for dense locations.

    ``sum_a w_a alpha (1 - p_a)^gamma CE_a / normalizer``, with ``p_a`` the probability of the
    label. Source: HierKD's released code (losses/focal_loss_softmax.py); alpha applies to every
    class, the background too.

    Args:
        logits: (A, W + 1) similarities over temperature, the background last; novel columns -inf.
        labels: (A,) int64 in [0, W]; W is the background.
        weights: (A,) weight of each location.
        normalizer: the number of positive locations.

    Returns:
        Scalar. Zero, with a graph, where all weights are zero.
    """
    entropy = F.cross_entropy(logits.float(), labels, reduction="none")
    losses = alpha * (1 - torch.exp(-entropy)) ** gamma * entropy
    return (losses * weights).sum() / normalizer
