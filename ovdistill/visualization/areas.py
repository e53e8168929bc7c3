"""Draws a label map on its image: a light fill and an outline of each area, numbers, a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from ovdistill.visualization.drawing import (
    MIN_SIDE,
    NARROWEST_LEGEND,
    check_fill,
    enlarged,
    enlargement,
    stack_legend,
)
from ovdistill.visualization.label_layout import Rectangle, Size
from ovdistill.visualization.labels import chip_size, draw_chip, tag
from ovdistill.visualization.legend import Legend
from ovdistill.visualization.palette import WHITE, Colour, class_colour

FILL = 0.35  # opacity: the image still shows
NO_COLOUR: Colour = (128, 128, 128)  # of pixels without a name, which are not filled


def draw_label_map(
    image: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    note: str = "",
    min_side: int = MIN_SIDE,
    *,
    fill: float = FILL,
) -> np.ndarray:
    """Draw a label map on an image, with a legend of the names that occur below it.

    Names are numbered from the largest to the smallest; a number stands in the widest area of its
    name, where there is room for it.

    Args:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) whole numbers, rows of ``names``; below 0 a pixel has no name, and keeps its
            colours.
        names: W class names.
        note: a text below the legend, in red.
        min_side: an image whose longer side is shorter than this is enlarged by a whole factor
            first, in pixels.
        fill: opacity of the colour over an area, 0 to 1.

    Returns:
        (H', W', 3) uint8 RGB, a new image.

    Raises:
        UserError: ``fill`` is out of range, or there is no font.
    """
    check_fill(fill)
    factor = enlargement(image, min_side)
    canvas = enlarged(image, factor)
    size = (canvas.shape[1], canvas.shape[0])
    large = labels.repeat(factor, axis=0).repeat(factor, axis=1)
    unit = math.sqrt(size[0] * size[1]) / 640  # sizes below look right at 640 x 640 pixels
    font_size = max(13, round(15 * unit))
    rows = names_by_size(labels, len(names))
    draw_areas(canvas, large, unit, fill)
    drawn = Image.fromarray(canvas)
    for number, row in enumerate(rows, start=1):
        line = tag(number, font_size)
        area = _widest_place(large == row, chip_size(line))
        if area is not None:
            draw_chip(drawn, area, line, class_colour(row))
    legend = Legend(max(size[0], NARROWEST_LEGEND), font_size)
    counts = np.bincount(labels[labels >= 0], minlength=len(names)) / max(1, labels.size)
    tails = [f" {_percent(counts[row])}" for row in rows]
    entries = legend.numbered_names([names[row] for row in rows], tails, rows)
    without = float((labels < 0).mean())
    rest = [legend.plain(f"no name: {_percent(without)}")] if without else []
    return stack_legend(np.asarray(drawn), legend.draw(entries, rest, note))


def names_by_size(labels: np.ndarray, names: int) -> list[int]:
    """Return the labels that occur, that of the most pixels first."""
    counts = np.bincount(labels[labels >= 0], minlength=names)
    return [int(row) for row in (-counts).argsort(kind="stable") if counts[row]]


def draw_areas(canvas: np.ndarray, labels: np.ndarray, unit: float, fill: float) -> None:
    """Fill every area with its colour and draw its outline, in place.

    The outline is a line in the colour within the area, and a white one between two areas.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        labels: (H, W), below 0 for pixels that are left as they are.
        unit: 1 for an image of 640 x 640 pixels; lines grow with it.
        fill: opacity of the colour over an area, 0 to 1.
    """
    named = labels >= 0
    colours = np.array([class_colour(row) for row in range(int(labels.max(initial=-1)) + 1)])
    colours = np.concatenate([colours.reshape(-1, 3), [NO_COLOUR]]).astype(np.float32)  # -1: last
    line, gap = max(2.0, 2.5 * unit), max(1.0, 0.7 * unit)
    distance = cv2.distanceTransform((~_borders(labels)).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.where(named, fill, 0.0).astype(np.float32)
    share[named & (distance < line + gap)] = 1.0
    mixed = canvas + share[..., None] * (colours[labels] - canvas)
    mixed[distance < gap] = WHITE
    canvas[:] = mixed.round().astype(np.uint8)


def _borders(labels: np.ndarray) -> np.ndarray:
    """Return (H, W) bool: the pixels beside one with another label."""
    borders = np.zeros(labels.shape, dtype=bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    borders[:, 1:] |= across
    borders[:, :-1] |= across
    borders[1:] |= down
    borders[:-1] |= down
    return borders


def _widest_place(area: np.ndarray, size: Size) -> Rectangle | None:
    """Return where an area is widest, as a rectangle of this size; None if it does not fit.

    Args:
        area: (H, W) bool.
        size: width and height, pixels.
    """
    framed = np.pad(area.astype(np.uint8), 1)  # the edge of the image is an edge of the area
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    width, height = size
    if distance[y, x] < max(width, height) / 2:
        return None
    left, top = float(x - width / 2), float(y - height / 2)
    return left, top, left + width, top + height


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "<1 %"
