"""The boxes around masks, and the enlarged boxes in which masks are predicted.

Shapes: n detections, S side of a mask in cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def enlarge(boxes: Tensor, factor: float) -> Tensor:
    """Return (n, 4) xyxy boxes with the same centres and ``factor`` times the sides."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    return torch.cat([centre - half, centre + half], dim=1)


def clip_boxes(boxes: Tensor, shape: Sequence[int]) -> Tensor:
    """Return (n, 4) xyxy boxes clipped to an image of this height and width."""
    height, width = shape[:2]
    return torch.minimum(boxes.clamp(min=0), boxes.new_tensor([width, height, width, height]))


def tight_boxes(boxes: Tensor, logits: Tensor, threshold: float) -> Tensor:
    """Return the boxes around masks, whose edges lie where the logits cross the threshold.

    Args:
        boxes: (n, 4) xyxy boxes in which the masks were predicted.
        logits: (n, S, S) mask logits, row by row.
        threshold: a cell above it belongs to the object.

    Returns:
        (n, 4) xyxy in the same pixels; the given box if no cell is above the threshold.
    """
    x1, x2 = _edges(boxes[:, 0], boxes[:, 2], logits.amax(dim=1), threshold)
    y1, y2 = _edges(boxes[:, 1], boxes[:, 3], logits.amax(dim=2), threshold)
    return torch.stack([x1, y1, x2, y2], dim=1)


def _edges(low: Tensor, high: Tensor, profile: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return where profiles first rise above the threshold, and where they last fall below it.

    Args:
        low: (n,) coordinate of the start of each profile, in pixels.
        high: (n,) coordinate of its end.
        profile: (n, S) largest logit of each column or row.
        threshold: as for ``tight_boxes``.

    Returns:
        Two (n,) coordinates; ``low`` and ``high`` if a profile is never above the threshold.
    """
    cells = profile.shape[1]
    inside = profile > threshold
    number = torch.arange(cells, device=profile.device)
    first = torch.where(inside, number, cells - 1).amin(dim=1)
    last = torch.where(inside, number, 0).amax(dim=1)
    size = (high - low) / cells
    # outside of the mask there is no value: the edge is half a cell away from the centre
    before = first + 0.5 - _crossing(profile, first, first - 1, threshold)
    after = last + 0.5 + _crossing(profile, last, last + 1, threshold)
    found = inside.any(dim=1)
    start = torch.where(found, low + before * size, low)
    return start, torch.where(found, low + after * size, high)


def _crossing(profile: Tensor, inner: Tensor, outer: Tensor, threshold: float) -> Tensor:
    """Return how far the crossing is from the centre of cell ``inner`` to ``outer``, in cells."""
    last = profile.shape[1] - 1
    value = profile.gather(1, inner[:, None])[:, 0]
    beyond = profile.gather(1, outer.clamp(0, last)[:, None])[:, 0]
    share = (value - threshold) / (value - beyond).clamp(min=1e-6)
    return torch.where((outer < 0) | (outer > last), 0.5, share)
