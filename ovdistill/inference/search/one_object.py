"""Takes regions of one object as one: of those that overlap in an image, the best is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ovdistill.inference.search.queries import Box

SAME_OBJECT = 0.5  # regions of an image whose boxes have a higher IoU show one object


def best_of_objects(regions: Iterable[tuple[int, Box]], most: int) -> list[int]:
    """Return which regions are the best of their objects.

    Args:
        regions: image and box (xyxy, pixels) of each, best first. Those after the last that is
            returned are not looked at.
        most: how many to return.

    Returns:
        Their indices, in rising order.
    """
    chosen: list[int] = []
    taken: dict[int, list[Box]] = defaultdict(list)
    for index, (image, box) in enumerate(regions):
        if all(box_iou(box, other) <= SAME_OBJECT for other in taken[image]):
            taken[image].append(box)
            chosen.append(index)
            if len(chosen) == most:
                break
    return chosen


def box_iou(first: Box, second: Box) -> float:
    """Return the IoU of two boxes, xyxy; 0 if both have no area."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    common = max(0.0, width) * max(0.0, height)
    union = _area(first) + _area(second) - common
    return common / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
