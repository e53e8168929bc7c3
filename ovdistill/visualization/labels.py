"""Draws boxes, and what says what is in them: full labels, or numbered tags in a crowded image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ovdistill.visualization.fonts import Line, draw_line, lay_out
from ovdistill.visualization.label_layout import Rectangle, Size, place_labels, place_tags
from ovdistill.visualization.palette import Colour, ink_on

TAG_SIZE = 0.8  # of the labels' font size


def clipped_boxes(boxes: np.ndarray, size: tuple[int, int]) -> list[Rectangle]:
    """Return boxes cut at the edges of an image; one that lies outside becomes a point or a line.

    Args:
        boxes: (n, 4) xyxy, absolute pixels of the image.
        size: width and height of the image, in pixels.
    """
    last = np.array([size[0] - 1, size[1] - 1])
    starts = np.clip(boxes[:, :2], 0, last)
    ends = np.clip(np.maximum(boxes[:, :2], boxes[:, 2:]), 0, last)
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in np.hstack([starts, ends]).tolist()]


def draw_boxes(
    image: Image.Image, boxes: Sequence[Rectangle], colours: Sequence[Colour], line: int
) -> None:
    """Draw each box as a line with a black or white one around it; the first box is on top.

    Args:
        image: to draw on.
        boxes: xyxy, absolute pixels of the image.
        colours: one for each box.
        line: width of the coloured line, in pixels.
    """
    pen = ImageDraw.Draw(image)
    casing = max(1, line // 2)
    for (x1, y1, x2, y2), colour in reversed(list(zip(boxes, colours, strict=True))):
        outer = (x1 - casing, y1 - casing, x2 + casing, y2 + casing)
        pen.rectangle(outer, outline=ink_on(colour), width=casing)
        pen.rectangle((x1, y1, x2, y2), outline=colour, width=line)


def draw_labels(
    image: Image.Image,
    boxes: Sequence[Rectangle],
    colours: Sequence[Colour],
    labels: Sequence[Line],
    font_size: int,
) -> bool:
    """Write a label at each box, or its number, from 1 on, where labels would hide the image.

    Args:
        image: to draw on.
        boxes: xyxy, absolute pixels of the image.
        colours: one for each box.
        labels: one for each box.
        font_size: of the labels, in pixels.

    Returns:
        True if there are labels; False if there are numbers, which a legend must explain.
    """
    areas = place_labels(boxes, [chip_size(line) for line in labels], image.size)
    if areas is not None:
        draw_chips(image, areas, labels, colours)
        return True
    tags = [tag(number, font_size) for number in range(1, len(boxes) + 1)]
    areas = place_tags(boxes, [chip_size(line) for line in tags], image.size)
    # the best is on top
    draw_chips(image, areas[::-1], tags[::-1], colours[::-1])
    return False


def tag(number: int, font_size: int) -> Line:
    """Return the number of a detection as a line, smaller than a label's."""
    return lay_out(str(number), round(TAG_SIZE * font_size))


def draw_chip(image: Image.Image, area: Rectangle, line: Line, colour: Colour) -> None:
    """Draw a line of text on a ground of a colour.

    Args:
        image: to draw on.
        area: xyxy, absolute pixels of the image; the line is centred in it.
        line: the text.
        colour: of the ground.
    """
    ink = ink_on(colour)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle(area, radius=line.height // 5, fill=colour, outline=ink)
    left = (area[0] + area[2] - line.width) / 2
    draw_line(image, left, (area[1] + area[3] - line.height) / 2 + line.ascent, line, ink)


def draw_chips(
    image: Image.Image,
    areas: Sequence[Rectangle],
    lines: Sequence[Line],
    colours: Sequence[Colour],
) -> None:
    """Draw several lines of text; see ``draw_chip``."""
    for area, line, colour in zip(areas, lines, colours, strict=True):
        draw_chip(image, area, line, colour)


def chip_size(line: Line) -> Size:
    """Return width and height of the ground of a line, in pixels."""
    return math.ceil(line.width + 0.45 * line.height), line.height + 2
