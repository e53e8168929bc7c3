"""Instances and a label map joined to a panoptic map.

Kirillov et al., "Panoptic Feature Pyramid Networks", CVPR 2019, arXiv 1901.02446, section 3: the
heuristic that mmdet's ``HeuristicFusionHead`` has too. That one has things before stuff in its list
of classes; a vocabulary has any order.

Shapes: n instances, H x W pixels, W class names.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ovdistill.segmentation.data.label_map import IGNORE

# share of an instance, as mmdet's ``mask_overlap`` for the paper's network and Detectron2's
# ``PANOPTIC_FPN.COMBINE.OVERLAP_THRESH``
MOST_HIDDEN = 0.5


def join_panoptic(
    masks: Tensor,
    labels: Tensor,
    scores: Tensor,
    label_map: Tensor,
    is_thing: Tensor,
    *,
    least_score: float = 0.0,
    least_area: int = 64,
) -> tuple[Tensor, Tensor]:
    """Lay instances over a label map, the best first.

    An instance of which better ones cover more than ``MOST_HIDDEN`` is left out. One that is left
    out, for that or for its score, leaves its pixels to the next ones and to stuff.

    Args:
        masks: (n, H, W) bool.
        labels: (n,) int64 rows of class names, of things.
        scores: (n,) the higher, the earlier.
        label_map: (H, W) int64 rows of class names.
        is_thing: (W,) bool; of the label map, pixels of things are left out.
        least_score: instances of a lower score are left out, as by ``rcnn.score_thr`` (0.6) of
            mmdet's recipe for the paper's network. 0 leaves none out.
        least_area: pixels; a smaller area of a stuff class is left out.

    Returns:
        (H, W) int64 rows or ``IGNORE``, and (H, W) int64 numbers of segments: 0 for stuff, and
        from 1 for instances.
    """
    rows = torch.full_like(label_map, IGNORE)
    segments = torch.zeros_like(label_map)
    best_first = scores.argsort(descending=True)
    for index in best_first[scores[best_first] >= least_score].tolist():
        free = masks[index] & (segments == 0)
        area = int(masks[index].sum())
        if not area or int(free.sum()) < (1 - MOST_HIDDEN) * area:
            continue
        segments[free] = segments.max() + 1
        rows[free] = labels[index]
    stuff = (segments == 0) & (label_map >= 0) & ~is_thing[label_map.clamp(min=0)]
    areas = torch.bincount(label_map[stuff], minlength=len(is_thing))
    stuff &= areas[label_map.clamp(min=0)] >= least_area
    rows[stuff] = label_map[stuff]
    return rows, segments
