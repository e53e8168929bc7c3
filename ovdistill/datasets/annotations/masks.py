"""The rules for masks of annotation files: polygons, and run lengths (RLE).

What passes here is safe for pycocotools, which reads beyond its memory for an RLE whose runs do not
fill its size, and asks for memory by the length of an outline.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ovdistill.datasets.annotations.values import NUMBERS, shown

MAX_OUTLINE = 2e6  # pixels along the outline of a polygon
MAX_COORDINATE = 1e7  # pixels
_EXPECTED_POLYGON = "expected x and y of three corners or more, in pixels"


class Mask(NamedTuple):
    """A mask that was judged.

    Attributes:
        segmentation: polygons or an RLE; None if there is no mask.
        problems: kinds (keys of ``report.KINDS``) with a description of each problem.
    """

    segmentation: Any
    problems: tuple[tuple[str, str], ...] = ()


NONE = Mask(None)


def read_mask(value: Any, size: tuple[int, int]) -> Mask:
    """Return what can be used of an annotation's ``segmentation``.

    Args:
        value: as the file has it: polygons, an RLE as dict, or nothing.
        size: width and height of the image in pixels.
    """
    if not value or value == [[]]:
        return NONE
    if isinstance(value, dict):
        problem = _rle_problem(value, size)
        size_counts = dict(size=[size[1], size[0]], counts=value.get("counts"))
        return Mask(None, (("mask", problem),)) if problem else Mask(size_counts)
    if not isinstance(value, list):
        return Mask(None, (("mask", f"segmentation {shown(value)}; expected polygons or an RLE"),))
    if type(value[0]) in NUMBERS:
        return _read_polygons([value], (("flat", f"segmentation {shown(value)}"),))
    return _read_polygons(value, ())


def _read_polygons(polygons: list[Any], problems: tuple[tuple[str, str], ...]) -> Mask:
    good = [polygon for polygon in polygons if _is_polygon(polygon)]
    if not good:
        first = f"segmentation {shown(polygons)}; {_EXPECTED_POLYGON}"
        return Mask(None, (("mask", first),))
    if len(good) == len(polygons):
        return Mask(good, problems)
    bad = [polygon for polygon in polygons if not _is_polygon(polygon)]
    dropped = (("polygon", f"polygon {shown(polygon)}; {_EXPECTED_POLYGON}") for polygon in bad)
    return Mask(good, (*problems, *dropped))


def _is_polygon(polygon: Any) -> bool:
    """Return True for a list of finite coordinates that rasterises in bounded memory."""
    if type(polygon) is not list or len(polygon) < 6 or len(polygon) % 2:
        return False
    try:
        total = float(sum(map(abs, polygon)))  # fails on text, lists and null; NaN where a NaN is
    except (TypeError, OverflowError):
        return False
    # an outline is at most twice this sum
    return total <= MAX_OUTLINE / 2 or (math.isfinite(total) and _is_short(polygon))


def _is_short(polygon: list[Any]) -> bool:
    corners = np.array(polygon, dtype=np.float64).reshape(-1, 2)
    steps = np.abs(corners - np.roll(corners, 1, axis=0)).max(axis=1)
    return bool(np.abs(corners).max() <= MAX_COORDINATE and steps.sum() <= MAX_OUTLINE)


def _rle_problem(rle: dict[str, Any], size: tuple[int, int]) -> str | None:
    width, height = size
    got = rle.get("size")
    if got != [height, width] or not all(type(side) in NUMBERS for side in got):
        swapped = " (swapped)" if got == [width, height] else ""
        return f"an RLE of size {shown(got)}{swapped}; expected [{height}, {width}] of its image"
    counts = _run_lengths(rle.get("counts"))
    if counts is None:
        return f"an RLE with counts {shown(rle.get('counts'))}; expected run lengths"
    total = sum(counts)
    if total != height * width or min(counts) < 0:
        return f"an RLE of {total} pixels; expected runs of {height * width} pixels in all"
    return None


def _run_lengths(counts: Any) -> list[int] | None:
    """Return the run lengths of an RLE; None for what is no list of whole numbers or no text."""
    if isinstance(counts, list):
        return counts if counts and set(map(type, counts)) == {int} else None
    if isinstance(counts, str) and counts.isascii():
        return _decode(counts.encode())
    return None


def _decode(text: bytes) -> list[int] | None:
    """Return the run lengths that COCO's compressed text stands for; None if it is damaged.

    A number is written in groups of 5 bits, the lowest first, each plus 48; a group with bit 32 is
    followed by another. From the fourth on, a number is the difference to the one two before.
    """
    groups = np.frombuffer(text, dtype=np.uint8).astype(np.int64) - 48
    if not len(groups) or groups.min() < 0 or groups.max() > 63 or groups[-1] & 32:
        return None
    ends = np.flatnonzero(groups & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 7:  # 35 bits: more pixels than an image can have
        return None
    shifts = 5 * (np.arange(len(groups)) - np.repeat(starts, lengths))
    values = np.add.reduceat((groups & 31) << shifts, starts)
    values -= np.where(groups[ends] & 16, 1 << 5 * lengths, 0)
    values[1::2] = values[1::2].cumsum()
    values[2::2] = values[2::2].cumsum()
    return values.tolist()
