"""Keeps labels on one side of their boxes, which move from frame to frame of a video."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.visualization.label_layout import Rectangle, Size, overlap


class LabelSides:
    """Places labels at boxes, and remembers on which side of its object each one stood.

    A label changes its side only where it would leave the image or hide another label. An object
    without a number is new in every frame, so its label stands on the first side that is free.
    """

    def __init__(self) -> None:
        self._sides: dict[int, int] = {}  # number of an object -> index into its corners

    def place(
        self,
        boxes: Sequence[Rectangle],
        sizes: Sequence[Size],
        numbers: Sequence[int],
        canvas: Size,
    ) -> list[Rectangle]:
        """Return where the labels of the next frame go.

        Args:
            boxes: xyxy, absolute pixels of the frame.
            sizes: width and height of each label, in pixels.
            numbers: the number of each object, 0 for an object that has none.
            canvas: width and height of the frame, in pixels.

        Returns:
            The rectangle of each label, inside the frame as far as it fits.
        """
        areas: dict[int, Rectangle] = {}
        sides: dict[int, int] = {}
        # labels that have a side come first: a new one gives way
        known = sorted(range(len(boxes)), key=lambda i: numbers[i] not in self._sides)
        for i in known:
            corners = _corners(boxes[i], sizes[i])
            side = self._sides.get(numbers[i], 0)
            order = [side, *(other for other in range(len(corners)) if other != side)]
            free = (
                other
                for other in order
                if _is_free(corners[other], sizes[i], canvas, list(areas.values()))
            )
            side = next(free, side)
            areas[i] = _inside(corners[side], sizes[i], canvas)
            if numbers[i]:
                sides[numbers[i]] = side
        self._sides = sides
        return [areas[i] for i in range(len(boxes))]


def _corners(box: Rectangle, size: Size) -> list[tuple[float, float]]:
    """Return upper left corners of a label: above, below, inside; left, then right."""
    x1, y1, x2, y2 = box
    width, height = size
    tops = (y1 - height, y2, y1, y2 - height)
    return [(x, y) for x in (x1, x2 - width) for y in tops]


def _is_free(
    corner: tuple[float, float], size: Size, canvas: Size, taken: Sequence[Rectangle]
) -> bool:
    """Return True if a label fits into the height of the frame and hides no other one."""
    if corner[1] < 0 or corner[1] + size[1] >= canvas[1]:
        return False
    area = _inside(corner, size, canvas)
    return all(overlap(area, other) < 1 for other in taken)


def _inside(corner: tuple[float, float], size: Size, canvas: Size) -> Rectangle:
    """Return the rectangle at a corner, moved into the frame."""
    x, y = (
        min(max(0.0, start), max(0.0, room - 1 - side))
        for start, side, room in zip(corner, size, canvas, strict=True)
    )
    return x, y, x + size[0], y + size[1]
