"""HierKD's formulas on plain tensors (this file imports torch and the gathering of ranks only).

Shapes: N images, P distillation regions, K patches of an image, M noun phrases or captions, A dense
locations, W class names, D embedding width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.core.distributed import gather_rows


def instance_loss(
    student: Tensor,
    teacher: Tensor,
    kept: Tensor,
    norm: float = 2,
    level: Tensor | None = None,
    levels: int = 1,
) -> Tensor:
    """Return the instance-level loss: mean distance to the teacher on labelled objects.

    Source: HierKD's released code (losses/kd_ins_loss.py): L2 in the final model, L1 in others. Its
    one-stage head takes the mean of each pyramid level, then the mean over all levels, those
    without a labelled object too.

    Args:
        student: (P, D) region embeddings of the detector.
        teacher: (P, D) embeddings of the same regions by the teacher. Receives no gradient.
        kept: (P,) bool, the regions of labelled objects.
        norm: 2 for the L2 norm, 1 for the sum of absolute differences.
        level: (P,) int64 in [0, levels), the pyramid level of each region; all of one by default.
        levels: L, how many levels there are.

    Returns:
        Scalar ``(1 / L) sum_l mean_{p kept, on l} ||v_p - e_p||`` after both sides are normalised
        to unit norm. Zero, with a graph, if no region is kept.
    """
    if level is None:
        level = torch.zeros_like(kept, dtype=torch.long)
    student = F.normalize(student.float(), dim=-1)
    teacher = F.normalize(teacher.detach().float(), dim=-1)
    distance = torch.linalg.vector_norm(student - teacher, ord=norm, dim=-1)
    counts = distance.new_zeros(levels).index_add(0, level, kept.to(distance.dtype))
    return (distance * kept / counts.clamp(min=1)[level]).sum() / levels


def attend(patches: Tensor, texts: Tensor) -> Tensor:
    """Pool the patches of each image by their similarity to each text.

    Source: HierKD, section 3.3. The softmax over patches has no temperature.

    Args:
        patches: (N, K, D) unit norm.
        texts: (M, D) unit norm.

    Returns:
        (M, N, D) unit norm.
    """
    with torch.autocast(patches.device.type, enabled=False):  # cosines need more than bf16 has
        patches, texts = patches.float(), texts.float()
        attention = torch.einsum("md,nkd->mnk", texts, patches).softmax(dim=-1)
        return F.normalize(torch.einsum("mnk,nkd->mnd", attention, patches), dim=-1)


def text_image_similarity(patches: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
    """Return the scaled cosines of texts with what they attend to in each image.

    Args:
        patches: (N, K, D) unit norm.
        texts: (M, D) unit norm.
        scale: kappa, which multiplies the cosines.

    Returns:
        (M, N).
    """
    with torch.autocast(patches.device.type, enabled=False):
        return scale * torch.einsum("mnd,md->mn", attend(patches, texts), texts.float())


def caption_loss(
    patches: Tensor, captions: Tensor, scale: Tensor | float, *, gather: bool = False
) -> Tensor:
    """Return the global-level loss, a contrast of the images and captions of a batch.

    Source: HierKD, equations 5-7; the released code adds the cross-entropies over rows and over
    columns without halving, on the images of one rank.

    Args:
        patches: (N, K, D) of the student, any norm.
        captions: (N, D) by the teacher, a caption for each image. Receives no gradient.
        scale: kappa, which multiplies the cosines.
        gather: compare with the images and captions of all ranks (the same number on each). The
            mean over ranks of the result is then the loss of the whole batch.

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
    *,
    gather: bool = False,
) -> Tensor:
    """Return the global-level loss with noun phrases, each of which has to find its own image.

    Source: HierKD's released code: log-softmax over images, mean over the phrases of an image,
    mean over images, counted twice.

    Args:
        patches: (N, K, D) of the student, any norm.
        phrases: (M, D) by the teacher. Receives no gradient.
        image_index: (M,) int64, the image that a phrase belongs to.
        scale: kappa, which multiplies the cosines.
        gather: compare with the images of all ranks (the same number on each). The mean over
            ranks of the result is then the loss of the whole batch if every image has a phrase.

    Returns:
        Scalar: the mean over the images that have a phrase. Zero, with a graph, for M = 0.
    """
    patches = F.normalize(patches.float(), dim=-1)
    phrases = F.normalize(phrases.detach().float(), dim=-1)
    all_patches, first = gather_rows(patches) if gather else (patches, 0)
    log_p = text_image_similarity(all_patches, phrases, scale).log_softmax(dim=1)
    own = log_p.gather(1, image_index[:, None] + first)[:, 0]
    # not bincount, for which a GPU waits until it knows the length of the result
    counts = own.new_zeros(len(patches)).index_add(0, image_index, torch.ones_like(own))
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
    """Return the focal loss of a softmax over classes and background, for dense locations.

    ``sum_a w_a alpha (1 - p_a)^gamma CE_a / normalizer``, with ``p_a`` the probability of the
    label. Source: HierKD's released code (losses/focal_loss_softmax.py); alpha applies to every
    class, the background too.

    Args:
        logits: (A, W + 1) similarities over temperature, the background last; novel columns -inf.
        labels: (A,) int64 in [0, W]; W is the background.
        weights: (A,) weight of each location.
        normalizer: the number of positive locations.
        alpha: factor on the loss of every location.
        gamma: exponent of the modulating factor.

    Returns:
        Scalar. Zero, with a graph, if all weights are zero.
    """
    entropy = F.cross_entropy(logits.float(), labels, reduction="none")
    losses = alpha * (1 - torch.exp(-entropy)) ** gamma * entropy
    return (losses * weights).sum() / normalizer
