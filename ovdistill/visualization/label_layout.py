"""Chooses where labels go: inside the image, near their box, and not over one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Rectangle = tuple[float, float, float, float]  # xyxy, absolute pixels of the canvas
Size = tuple[float, float]  # width and height, pixels

MOST_COVERED = 0.12  # share of the image under full labels: more would hide what is in it
MOST_OF_A_BOX = 0.3  # share of another box under a label


def overlap(a: Rectangle, b: Rectangle) -> float:
    """Return the area that two rectangles share, in square pixels."""
    return float(_overlaps([a], [b])[0, 0])


def place_labels(
    boxes: Sequence[Rectangle], sizes: Sequence[Size], canvas: Size
) -> list[Rectangle] | None:
    """Find positions of labels at their boxes, if there is room for all.

    Args:
        boxes: the boxes that the labels belong to.
        sizes: width and height of each label, in pixels.
        canvas: width and height of the image, in pixels.

    Returns:
        The rectangle of each label; None for a crowded image, in which labels would cover too much,
        hide one another or other boxes, lie apart from their own box, or be larger than the image.
    """
    covered = sum(width * height for width, height in sizes)
    too_large = any(width > canvas[0] or height > canvas[1] for width, height in sizes)
    if too_large or covered > MOST_COVERED * canvas[0] * canvas[1]:
        return None
    areas: list[Rectangle] = []
    for i, (box, size) in enumerate(zip(boxes, sizes, strict=True)):
        others = [*boxes[:i], *boxes[i + 1 :]]
        area = place_label(box, size, canvas, areas, others)
        if not _is_free(area, box, areas, others):
            return None
        areas.append(area)
    return areas


def place_tags(boxes: Sequence[Rectangle], sizes: Sequence[Size], canvas: Size) -> list[Rectangle]:
    """Find positions of small tags on the edges of their boxes; see ``place_labels``."""
    areas: list[Rectangle] = []
    for i, (box, size) in enumerate(zip(boxes, sizes, strict=True)):
        others = [*boxes[:i], *boxes[i + 1 :]]
        corners = _edge_corners(box, size)
        areas.append(_cheapest(corners, box, size, canvas, areas, others))
    return areas


def place_label(
    box: Rectangle,
    size: Size,
    canvas: Size,
    taken: Sequence[Rectangle],
    boxes: Sequence[Rectangle] = (),
) -> Rectangle:
    """Find a position for the label of a box.

    The candidates are the corners of the box, first outside of it, then inside; then every row of
    the canvas, the nearest first. Each costs more the later it comes and the more it hides of
    other labels (worst), other boxes and its own box; the cheapest one is taken.

    Args:
        box: the box that the label belongs to.
        size: width and height of the label, in pixels.
        canvas: width and height of the image, in pixels.
        taken: the labels that have been placed before.
        boxes: the other boxes.

    Returns:
        The rectangle of the label, inside the canvas as far as it fits.
    """
    return _cheapest(_corners(box, size, canvas), box, size, canvas, taken, boxes)


def _cheapest(
    corners: Sequence[tuple[float, float]],
    box: Rectangle,
    size: Size,
    canvas: Size,
    taken: Sequence[Rectangle],
    boxes: Sequence[Rectangle],
) -> Rectangle:
    """Return the label's rectangle at the cheapest of these upper left corners."""
    wanted = np.array(corners, dtype=np.float64)
    room = np.maximum(np.subtract(canvas, size), 0)
    starts = np.clip(wanted, 0, room)
    positions = np.concatenate([starts, starts + size], axis=1)
    cost = np.abs(starts - wanted).sum(axis=1)
    cost += 100 * _overlaps(positions, taken).sum(axis=1)
    cost += _overlaps(positions, boxes).sum(axis=1)
    cost += 0.5 * _overlaps(positions, [box])[:, 0]
    # a later candidate must save the hiding of at least 3 % of the label's area
    cost += 0.03 * size[0] * size[1] * np.arange(len(positions))
    x1, y1, x2, y2 = positions[cost.argmin()].tolist()
    return x1, y1, x2, y2


def _overlaps(a: Sequence[Rectangle] | np.ndarray, b: Sequence[Rectangle]) -> np.ndarray:
    """Return the areas that rectangles a (n) and b (m) share, (n, m), in square pixels."""
    first = np.asarray(a, dtype=np.float64).reshape(-1, 1, 4)
    second = np.asarray(b, dtype=np.float64).reshape(1, -1, 4)
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    return sides.clip(min=0).prod(axis=-1)


def _is_free(
    area: Rectangle, box: Rectangle, taken: Sequence[Rectangle], boxes: Sequence[Rectangle]
) -> bool:
    """Return True if a label touches its box and hides no other label and no other box."""
    beside = area[0] > box[2] + 1 or area[2] < box[0] - 1
    if beside or area[1] > box[3] + 1 or area[3] < box[1] - 1:
        return False
    if (_overlaps([area], taken) >= 1).any():
        return False
    sizes = np.array([(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in boxes])
    return not (_overlaps([area], boxes)[0] > MOST_OF_A_BOX * sizes).any()


def _corners(box: Rectangle, size: Size, canvas: Size) -> list[tuple[float, float]]:
    """Return upper left corners to try, in order of preference."""
    x1, y1, x2, y2 = box
    width, height = size
    lefts = (x1, x2 - width)
    near = [(x, y) for y in (y1 - height, y2, y1, y2 - height) for x in lefts]
    near += [(x2, y1), (x1 - width, y1), (x2, y2 - height), (x1 - width, y2 - height)]
    rows = [row * height for row in range(int(canvas[1] // max(height, 1)))]
    return near + sorted(((x1, y) for y in rows), key=lambda corner: abs(corner[1] - y1))


def _edge_corners(box: Rectangle, size: Size) -> list[tuple[float, float]]:
    """Return upper left corners of tags to try: outside of the box, then inside."""
    x1, y1, x2, y2 = box
    width, height = size
    middle = ((x1 + x2 - width) / 2, (y1 + y2 - height) / 2)
    lefts, tops = (x1, middle[0], x2 - width), (y1, middle[1], y2 - height)
    outside = [(x, y1 - height) for x in lefts] + [(x, y2) for x in lefts]
    outside += [(x1 - width, y) for y in tops] + [(x2, y) for y in tops]
    return outside + [(x, y) for y in tops for x in lefts]
