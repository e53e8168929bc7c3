"""Chooses where labels go: inside the image, near their box, and not over one another."""

from __future__ import annotations

from collections.abc import Sequence

Rectangle = tuple[float, float, float, float]  # xyxy, absolute pixels of the canvas


def overlap(a: Rectangle, b: Rectangle) -> float:
    """Return the area that two rectangles share, in square pixels."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def place_label(
    box: Rectangle,
    size: tuple[float, float],
    canvas: tuple[float, float],
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
    best, least = box, float("inf")
    for order, corner in enumerate(_corners(box, size, canvas)):
        position = _inside(corner, size, canvas)
        moved = abs(position[0] - corner[0]) + abs(position[1] - corner[1])
        cost = 100 * sum(overlap(position, other) for other in taken)
        cost += sum(overlap(position, other) for other in boxes)
        cost += 0.25 * overlap(position, box)
        # a later candidate must save the hiding of at least 3 % of the label's area
        cost += 0.03 * size[0] * size[1] * order + moved
        if cost < least:
            best, least = position, cost
    return best


def _corners(
    box: Rectangle, size: tuple[float, float], canvas: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return upper left corners to try, in order of preference."""
    x1, y1, x2, y2 = box
    width, height = size
    lefts = (x1, x2 - width)
    near = [(x, y) for y in (y1 - height, y2, y1, y2 - height) for x in lefts]
    near += [(x2, y1), (x1 - width, y1), (x2, y2 - height), (x1 - width, y2 - height)]
    rows = [row * height for row in range(int(canvas[1] // max(height, 1)))]
    return near + sorted(((x1, y) for y in rows), key=lambda corner: abs(corner[1] - y1))


def _inside(
    corner: tuple[float, float], size: tuple[float, float], canvas: tuple[float, float]
) -> Rectangle:
    left = max(min(corner[0], canvas[0] - size[0]), 0)
    top = max(min(corner[1], canvas[1] - size[1]), 0)
    return left, top, left + size[0], top + size[1]
