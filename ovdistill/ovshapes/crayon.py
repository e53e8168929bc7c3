"""Draws OVShapes in another domain: with crayons on rough paper.

Objects, their places and their names are those of the painted domain. A person still reads them:
every object has a thin contour, and its pattern is hatched over a thin layer of its colour. A
teacher that knows painted objects alone is wrong half of the time.

Lengths inside of an object are fractions of its size, as in ``drawing``.
"""

from __future__ import annotations

import cv2
import numpy as np

from ovdistill.ovshapes.categories import COLOURS
from ovdistill.ovshapes.drawing import Stamp, average, pattern_axes, rim

LINE_WIDTH = 0.035  # of contours and of the lines of hatching
HATCH_PERIOD = 0.105
OUTLINE_WIDTH = 0.09
STRIPE_PERIOD = 0.24
CHECKER_SIDE = 0.2
DOT_SPACING = 0.25
DOT_RADIUS = 0.055
LAYER = 0.65  # how much of the paper the colour between the lines covers
CHALK = 0.6  # how much white is where the pattern has no colour
PRESSURE = (0.8, 1.0)  # how much of it all shows; it varies within an object
PAPER = (110, 190)  # grey value of a sheet, 0-255
GRAIN = 8.0  # standard deviation of the paper's finest noise, 0-255
FIBRES = 30.0  # half the range of its coarser noise, 0-255


def draw_paper(kind: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a sheet of paper.

    Args:
        kind: one of ``BACKGROUNDS``, which says what the sheet has beside its grain.
        size: side of the image in pixels.
        rng: random generator.

    Returns:
        (size, size, 3) float32 RGB in [0, 255].
    """
    tone = rng.uniform(*PAPER) + rng.uniform(-14, 14, 3)
    field = _fibres(size, rng)
    if kind == "cloudy":
        field = field + 1.2 * _noise(size, (3, 3), rng)
    elif kind == "shaded":
        y, x = np.mgrid[0:size, 0:size] / size - 0.5
        angle = rng.uniform(0, 2 * np.pi)
        field = field + 2.4 * (x * np.cos(angle) + y * np.sin(angle))
    elif kind == "blotchy":
        field = field - 1.3 * (_noise(size, (6, 6), rng) > 0.45)
    sheet = tone + (FIBRES * field)[..., None]
    grain = 2.2 * GRAIN if kind == "noisy" else GRAIN
    sheet = sheet + rng.normal(0, grain, (size, size, 1))
    if kind == "scribbled":
        sheet = sheet - 45 * _scratches(size, rng)[..., None]
    return np.clip(sheet, 0, 255).astype(np.float32)


def draw_object(
    canvas: np.ndarray,
    behind: np.ndarray,
    item: Stamp,
    pattern: str,
    colour: str,
    rng: np.random.Generator,
) -> None:
    """Draw an object onto ``canvas``, in place; it hides what lies behind it.

    Args:
        canvas: (H, W, 3) float32 RGB in [0, 255].
        behind: (H, W, 3) float32, the paper alone, which shows inside an outlined object.
        item: the silhouette, which must lie inside the image.
        pattern: one of ``PATTERNS``.
        colour: a key of ``COLOURS``.
        rng: draws colour and pressure, and phase and direction of the pattern.
    """
    rows, columns = item.window()
    crayon = np.clip(np.array(COLOURS[colour]) + rng.uniform(-12, 12, 3), 0, 255)
    u, v = pattern_axes(item, rng)
    area = _area(pattern, item, u, v)
    hatching = area & (np.mod(u + v, HATCH_PERIOD) < LINE_WIDTH)
    lines = hatching | rim(item, max(LINE_WIDTH * item.size, 1.0))
    weight = average(item.fine * np.maximum(lines, LAYER * area))
    height, width = weight.shape
    pressure = np.interp(_noise(max(height, width), (9, 9), rng), (-1, 1), PRESSURE)
    weight = (weight * pressure[:height, :width])[..., None].astype(np.float32)
    cover = item.cover[..., None]
    chalk = (1 - CHALK) * behind[rows, columns] + CHALK * 255
    inside = behind[rows, columns] if pattern == "outlined" else chalk
    patch = canvas[rows, columns] * (1 - cover) + inside * cover
    canvas[rows, columns] = patch * (1 - weight) + weight * crayon.astype(np.float32)


def _area(pattern: str, item: Stamp, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return where the pattern has colour: bool, in the shape of ``item.fine``.

    Args:
        pattern: one of ``PATTERNS``.
        item: the silhouette.
        u: see ``pattern_axes``, as v.
        v: the other axis.
    """
    if pattern == "solid":
        return np.ones(item.fine.shape, bool)
    if pattern == "outlined":
        return rim(item, OUTLINE_WIDTH * item.size)
    if pattern == "striped":
        return np.mod(u / STRIPE_PERIOD, 1) < 0.5
    if pattern == "checkered":
        return (np.floor(u / CHECKER_SIDE) + np.floor(v / CHECKER_SIDE)) % 2 == 1
    # on a square lattice
    du, dv = (np.mod(axis / DOT_SPACING, 1) - 0.5 for axis in (u, v))
    return np.hypot(du, dv) * DOT_SPACING <= DOT_RADIUS


def _fibres(size: int, rng: np.random.Generator) -> np.ndarray:
    """Return (size, size) noise in about [-1, 1], drawn out along a random axis."""
    cells = (size // 3, size // 12)
    field = _noise(size, cells if rng.uniform() < 0.5 else cells[::-1], rng)
    return 0.6 * field + 0.4 * _noise(size, (size // 6, size // 6), rng)


def _noise(size: int, cells: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return (size, size) float32 smooth noise in about [-1, 1] of this many cells."""
    coarse = rng.uniform(-1, 1, cells).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _scratches(size: int, rng: np.random.Generator) -> np.ndarray:
    """Return (size, size) float32 in [0, 1], straight pencil lines across the sheet."""
    drawn = np.zeros((size, size), np.uint8)
    for _ in range(int(rng.integers(6, 12))):
        start, end = (rng.uniform(-0.2, 1.2, (2, 2)) * size * 16).astype(np.int32)
        cv2.line(drawn, start.tolist(), end.tolist(), 255, 1, cv2.LINE_AA, shift=4)
    return drawn.astype(np.float32) / 255
