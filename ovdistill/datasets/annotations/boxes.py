"""The rules for boxes of annotation files: [x, y, width, height] in pixels."""

from __future__ import annotations

from typing import Any, TypeGuard

from ovdistill.datasets.annotations.values import NUMBERS, shown, to_number

Box = list[int | float]
FARTHEST = 10.0  # image sides that a box may reach beyond its image
THINNEST = 1e-6  # pixels: x + w must differ from x in floating-point numbers
MIN_SIDE = 1  # pixels; mmdet trains on no smaller box
UNIT_SHARE = 0.9  # a file with this share of its boxes in 0..1 is not in pixels
EXPECTED = "expected [x, y, width, height] in pixels"


def read_box(value: Any) -> Box | None:
    """Return a box as four finite numbers; None if it is not. Text such as "12.5" is a number."""
    if not isinstance(value, list) or len(value) != 4:
        return None
    numbers = [to_number(side) for side in value]
    return None if None in numbers else [side for side in numbers if side is not None]


def is_plain(value: Any) -> TypeGuard[Box]:
    """Return True for a list of four numbers (perhaps NaN), the form that most files have."""
    return (
        type(value) is list
        and len(value) == 4
        and type(value[0]) in NUMBERS
        and type(value[1]) in NUMBERS
        and type(value[2]) in NUMBERS
        and type(value[3]) in NUMBERS
    )


def is_good(box: Box, size: tuple[int, int]) -> bool:
    """Return True for a box with an area, at least in part and not far beyond the image.

    Args:
        box: x, y, width and height in pixels.
        size: width and height of the image in pixels.
    """
    x, y, w, h = box
    width, height = size
    far = FARTHEST * max(size)
    # sums stay in the float range, since every side is compared with ``far`` first
    return (
        -far <= x < width
        and -far <= y < height
        and THINNEST < w <= 3 * far
        and THINNEST < h <= 3 * far
        and 0 < x + w <= width + far
        and 0 < y + h <= height + far
    )


def box_problem(box: Box, size: tuple[int, int]) -> tuple[str, str]:
    """Return the kind and a description of what is wrong with a box that is not good.

    Args:
        box: four numbers, perhaps NaN or infinite.
        size: width and height of the image in pixels.
    """
    if read_box(box) is None:
        return "bbox", unreadable(box)
    x, y, w, h = box
    if w <= THINNEST or h <= THINNEST:
        return "bbox_size", f"bbox {shown(box)}; {EXPECTED}, both sides above 0"
    problem = f"bbox {shown(box)} in an image of {size[0]} x {size[1]} pixels"
    is_apart = x >= size[0] or y >= size[1] or -x >= w or -y >= h
    return "bbox_outside" if is_apart else "bbox_far", problem


def unreadable(value: Any) -> str:
    """Return a description of a box that is not four finite numbers."""
    return f"bbox {shown(value)}; {EXPECTED}"


def is_inside(box: Box, size: tuple[int, int]) -> bool:
    """Return True for a box that is wholly in the image, but for half a pixel."""
    x, y, w, h = box
    return x >= -0.5 and y >= -0.5 and x + w <= size[0] + 0.5 and y + h <= size[1] + 0.5


def is_large_enough(box: Box, size: tuple[int, int]) -> bool:
    """Return True for a box that training uses: its part in the image has sides of ``MIN_SIDE``.

    Pipelines clip boxes to their image, and one without width or height has no finite targets.

    Args:
        box: x, y, width and height in pixels.
        size: width and height of the image in pixels.
    """
    x, y, w, h = box
    width, height = size
    # no difference of two sums, by which a side of exactly MIN_SIDE could be rounded below it
    return min(w, x + w, width - x) >= MIN_SIDE and min(h, y + h, height - y) >= MIN_SIDE


def is_unit(box: Box, size: tuple[int, int]) -> bool:
    """Return True for a box in 0..1 of an image of more pixels, as in normalised coordinates."""
    x, y, w, h = box
    return 0 <= x and 0 <= y and x + w <= 1.001 and y + h <= 1.001 and min(size) > 1
