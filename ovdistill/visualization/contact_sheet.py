"""Puts small images in a grid, each with a line of text below it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ovdistill.visualization.fonts import draw_line, fit, lay_out
from ovdistill.visualization.palette import GREY, INK, PAPER

SIDE = 160  # of a tile, in pixels of the sheet
GAP = 8
TEXT = 14  # size of the fonts, in pixels
LOST = (206, 212, 218)  # RGB of a tile without an image
MOST_COLUMNS = 10
LONGEST_NOTE = 300  # characters of a note, of which a tile holds fewer
LARGEST_ZOOM = 8  # of an image that is smaller than its tile


@dataclass(frozen=True, eq=False)
class Tile:
    """A place of the sheet.

    Attributes:
        image: (h, w, 3) uint8 RGB, or None if there is none.
        title: the line below it.
        note: what stands in a tile without an image, such as the path of the file.
    """

    image: np.ndarray | None
    title: str
    note: str = ""


def contact_sheet(tiles: Sequence[Tile], title: str = "", columns: int | None = None) -> np.ndarray:
    """Draw tiles from left to right and from top to bottom.

    Args:
        tiles: at least one.
        title: a line above them.
        columns: tiles in a row; by default so many that the sheet is about as wide as high, and at
            most 10.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    columns = columns or min(MOST_COLUMNS, max(4, math.ceil(math.sqrt(len(tiles)))))
    columns = min(columns, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    below = TEXT + GAP
    top = 2 * TEXT + GAP if title else GAP
    width = columns * (SIDE + GAP) + GAP
    sheet = Image.new("RGB", (width, top + rows * (SIDE + below + GAP)), PAPER)
    if title:
        line = fit(title, "", TEXT + 2, width - 2 * GAP)
        draw_line(sheet, GAP, GAP + line.ascent, line, INK)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        corner = GAP + column * (SIDE + GAP), top + row * (SIDE + below + GAP)
        sheet.paste(_square(tile), corner)
        line = fit(tile.title, "", TEXT, SIDE)
        draw_line(sheet, corner[0], corner[1] + SIDE + GAP // 2 + line.ascent, line, INK)
    return np.asarray(sheet)


def _square(tile: Tile) -> Image.Image:
    """Return a tile without its title: its image as large as fits, in the middle."""
    if tile.image is None:
        return lost_tile(tile.note)
    image = Image.fromarray(tile.image)
    scale = min(SIDE / max(image.size), LARGEST_ZOOM)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    square = Image.new("RGB", (SIDE, SIDE), (255, 255, 255))
    resized = image.resize(size, Image.Resampling.LANCZOS)
    square.paste(resized, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return square


def lost_tile(note: str) -> Image.Image:
    """Return a grey tile with a text, broken where it is too long."""
    square = Image.new("RGB", (SIDE, SIDE), LOST)
    size = TEXT - 3
    step = lay_out("x", size).height + 2
    baseline = GAP + step
    for text in _broken(note, size, SIDE - 2 * GAP):
        if baseline > SIDE - GAP:
            break
        draw_line(square, GAP, baseline, lay_out(text, size), GREY)
        baseline += step
    return square


def _broken(text: str, size: int, width: int) -> list[str]:
    """Break a text, such as a path without spaces, into lines of at most ``width`` pixels."""
    lines = [""]
    for part in re.split(r"(?<=[/\\_ -])", text[:LONGEST_NOTE]):
        if lay_out(lines[-1] + part, size).width > width:
            lines.append("")
        for character in part:  # a part that is too long is cut wherever the line ends
            if lay_out(lines[-1] + character, size).width > width:
                lines.append("")
            lines[-1] += character
    return lines
