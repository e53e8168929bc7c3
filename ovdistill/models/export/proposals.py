"""What mmdet's ``RPNHead`` proposes, as a function of tensors.

Shapes: N images, A anchors of a cell, K candidates of an image, R rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.models.dense_heads import RPNHead
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder
from torch import Tensor

from ovdistill.models.export.rows import Rows

WH_RATIO_CLIP = 16 / 1000  # of mmdet's ``delta2bbox``


def decode(coder: DeltaXYWHBBoxCoder, boxes: Tensor, deltas: Tensor) -> Tensor:
    """Return regressed boxes as the coder decodes them, without clipping them to the image.

    Args:
        coder: has means and standard deviations.
        boxes: (..., 4) xyxy.
        deltas: (..., 4).
    """
    shift, growth = (deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)).split(
        2, dim=-1
    )
    largest = abs(np.log(WH_RATIO_CLIP))
    low, high = boxes.split(2, dim=-1)
    sides = high - low
    centre = (low + high) * 0.5 + sides * shift
    half = sides * growth.clamp(min=-largest, max=largest).exp() * 0.5
    return torch.cat([centre - half, centre + half], dim=-1)


def propose(head: RPNHead, x: Sequence[Tensor], sizes: Tensor) -> tuple[Rows, Tensor]:
    """Return the proposals of each image, as ``head.predict`` does.

    Args:
        head: the RPN, with one sigmoid for each anchor.
        x: pyramid levels, each (N, C, H_l, W_l).
        sizes: (N, 2) int64 height and width of each image, without the padding.

    Returns:
        R proposals, those of an image best first, and their (R,) scores.
    """
    config = head.test_cfg
    scores, deltas = head(x)
    anchors = head.prior_generator.grid_priors(
        [level.shape[-2:] for level in scores], device=x[0].device
    )
    levels = [_best(*level, config.nms_pre) for level in zip(scores, deltas, anchors, strict=True)]
    best, moved, start = (torch.cat(parts, dim=1) for parts in zip(*levels, strict=True))
    boxes = decode(head.bbox_coder, start, moved)
    limits = sizes.flip(1).repeat(1, 2).to(boxes.dtype)[:, None]
    boxes = torch.minimum(boxes.clamp(min=0), limits)
    level = torch.cat([torch.full_like(part[0][0], i) for i, part in enumerate(levels)])
    least = config.get("min_bbox_size", -1)
    large = ((boxes[..., 2:] - boxes[..., :2]) > least).all(dim=-1)
    image, column = large.nonzero().unbind(1)
    rows = Rows(boxes[image, column], image, torch.arange(sizes.shape[0], device=boxes.device))
    found = best[image, column]
    kept = rows.suppressed(found, config.nms.iou_threshold, group=level[column])
    kept = rows.by_image(rows.first(kept, config.max_per_img))
    return rows.only(kept), found[kept]


def _best(scores: Tensor, deltas: Tensor, anchors: Tensor, most: int) -> tuple[Tensor, ...]:
    """Return the best candidates of each image on a level.

    Args:
        scores: (N, A, H, W) logits.
        deltas: (N, 4 A, H, W).
        anchors: (H * W * A, 4).
        most: the largest number of candidates.

    Returns:
        Scores (N, K), deltas (N, K, 4) and anchors (N, K, 4).
    """
    scores = scores.permute(0, 2, 3, 1).flatten(1).sigmoid()
    deltas = deltas.permute(0, 2, 3, 1).reshape(scores.shape[0], -1, 4)
    best = scores.topk(torch.sym_min(most, scores.shape[1]), dim=1)
    index = best.indices
    return best.values, deltas.gather(1, index[..., None].expand(-1, -1, 4)), anchors[index]
