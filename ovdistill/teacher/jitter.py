"""Moves boxes a little, like proposals that do not fit their object exactly."""

from __future__ import annotations

import torch
from torch import Tensor

MAX_SHIFT = 0.12  # as a share of the box's side
MAX_ZOOM = 1.25
EXACT_SHARE = 0.4  # the share of boxes that stay as they are


def jitter_boxes(
    boxes: Tensor, generator: torch.Generator, exact_share: float = EXACT_SHARE
) -> Tensor:
    """Shift and scale boxes at random, like imprecise proposals.

    Args:
        boxes: (n, 4) xyxy.
        generator: random generator.
        exact_share: the probability that a box stays as it is, in [0, 1].

    Returns:
        (n, 4) xyxy: centres shifted by up to ``MAX_SHIFT`` of the side, sides scaled by up to
        ``MAX_ZOOM`` or its inverse, independently in x and y.
    """
    n = len(boxes)
    centre, side = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    moved = centre + side * (torch.rand(n, 2, generator=generator) * 2 - 1) * MAX_SHIFT
    scaled = side * MAX_ZOOM ** (torch.rand(n, 2, generator=generator) * 2 - 1)
    exact = torch.rand(n, 1, generator=generator) < exact_share
    return torch.where(exact, boxes, torch.cat([moved - scaled / 2, moved + scaled / 2], dim=1))
