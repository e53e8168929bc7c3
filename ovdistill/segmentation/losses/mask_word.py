"""Class names of masks (this file imports torch only).

Ding et al., "Decoupling Zero-Shot Semantic Segmentation" (ZegFormer), CVPR 2022, arXiv 2112.07910;
Ghiasi et al., "Scaling Open-Vocabulary Image Segmentation with Image-Level Labels" (OpenSeg), ECCV
2022, arXiv 2112.12143; Yu et al., "Convolutions Die Hard" (FC-CLIP), NeurIPS 2023, arXiv
2308.02487.

Shapes: n masks of an image, W class names, D embedding width, h x w a grid, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pool_masks(pixels: Tensor, masks: Tensor) -> Tensor:
    """Return the mean embedding of the pixels of each mask.

    Source: OpenSeg, section 3.2, and FC-CLIP, section 3.3: mask pooling.

    Args:
        pixels: (D, h, w) of one image.
        masks: (n, h, w) at least 0: shares of each pixel that belong to a mask.

    Returns:
        (n, D) unit norm; zeros for a mask without a pixel.
    """
    shares = masks.to(pixels).flatten(1)
    sums = shares @ pixels.flatten(1).T
    return F.normalize(sums / shares.sum(dim=1, keepdim=True).clamp(min=1e-6), dim=-1)


def geometric_ensemble(
    log_student: Tensor, log_teacher: Tensor, is_base: Tensor, alpha: float, beta: float
) -> Tensor:
    """Return the weighted geometric mean of the probabilities of student and teacher.

    Source: FC-CLIP, equation 7: ``student^(1-alpha) * teacher^alpha`` for base names, and with
    ``beta`` in place of ``alpha`` for novel ones. The result is normalised over the names again, as
    in the released code.

    Args:
        log_student: (n, W) log-probabilities.
        log_teacher: (n, W) log-probabilities.
        is_base: (W,) bool.
        alpha: the teacher's share of base names, 0.4 in FC-CLIP.
        beta: the teacher's share of novel names, 0.8 in FC-CLIP.

    Returns:
        (n, W) log-probabilities.
    """
    share = torch.where(is_base, alpha, beta).to(log_student)
    return ((1 - share) * log_student + share * log_teacher).log_softmax(dim=-1)


def sum_over_masks(scores: Tensor, masks: Tensor, boxes: Sequence[tuple[slice, slice]]) -> Tensor:
    """Return the scores of the class names at each pixel.

    Source: ZegFormer, section 3.2: the sum over the masks of a name's probability times the mask.

    Args:
        scores: (n, W) probabilities of the class names; the rest up to 1 is "no object".
        masks: (n, H, W) in [0, 1], or bool.
        boxes: rows and columns of each mask outside of which it is zero.

    Returns:
        (W, H, W) at least 0; zeros where there is no mask.
    """
    sums = scores.new_zeros(scores.shape[1], *masks.shape[1:])
    for own, mask, (rows, columns) in zip(scores, masks, boxes, strict=True):
        # one mask at a time: all of them as floats take n times the memory of the image
        sums[:, rows, columns].addcmul_(own[:, None, None], mask[rows, columns].to(scores))
    return sums
