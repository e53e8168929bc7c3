"""Draws masks that leave objects their colours: an outline around, a sparse hatch inside."""

from __future__ import annotations

import cv2
import numpy as np

from ovdistill.visualization.palette import Colour, ink_on

HATCH_PERIOD = 20  # widths of a line of the hatch, from line to line


def enlarge_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a mask in a larger size, with smooth edges in the place of its pixels' steps.

    Smoothing would cut tips and thin lines. They are enlarged on their own: the middle of every
    pixel of the mask is inside of the larger one.

    Args:
        mask: (h, w) bool.
        size: width W and height H, at least w and h.

    Returns:
        (H, W) bool.
    """
    if mask.shape == size[::-1]:
        return mask
    values = mask.astype(np.uint8)
    block = np.ones((3, 3), dtype=np.uint8)
    thin = values > cv2.morphologyEx(values, cv2.MORPH_OPEN, block)
    # a tip reaches into the body that it belongs to
    joined = mask & (cv2.dilate(thin.astype(np.uint8), block) > 0)
    soft = cv2.resize(values.astype(np.float32), size)
    pixel = size[0] / mask.shape[1], size[1] / mask.shape[0]
    smooth = cv2.GaussianBlur(soft, (0, 0), pixel[0] / 2, sigmaY=pixel[1] / 2)
    tips = cv2.resize(joined.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return (smooth > 0.5) | (tips > 0.5)


def draw_mask(
    canvas: np.ndarray,
    mask: np.ndarray,
    colour: Colour,
    unit: float,
    fill: float = 0.0,
    *,
    rising: bool = True,
) -> None:
    """Draw a mask, in place: its outline lies outside of it, a hatch of thin lines inside.

    The outline is a line in the colour, with a black or white one around it that is as unlike the
    colour as can be: one of the two shows on any ground.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        mask: (H, W) bool.
        colour: of the line and of the hatch.
        unit: 1 for an image of 640 x 640 pixels; lines grow with it.
        fill: opacity of a tint of the mask's pixels, 0 to 1.
        rising: direction of the hatch.
    """
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if not width:
        return
    line, casing = max(2.0, 2.5 * unit), max(1.0, 0.8 * unit)
    around = int(line + casing) + 2
    rows = slice(max(top - around, 0), top + height + around)
    columns = slice(max(left - around, 0), left + width + around)
    part, inside = canvas[rows, columns], mask[rows, columns]
    if fill:
        part[inside] = _mixed(part[inside], colour, fill)
    part[inside & _hatch(inside.shape, (rows.start, columns.start), unit, rising=rising)] = colour
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 3)
    near = (distance > 0) & (distance < line + casing + 0.5)
    ring = distance[near][:, None]
    # half a pixel of each line is translucent: smooth edges
    pixels = _mixed(part[near], ink_on(colour), np.clip(line + casing + 0.5 - ring, 0, 1))
    part[near] = _mixed(pixels, colour, np.clip(line + 0.5 - ring, 0, 1))


def _hatch(
    shape: tuple[int, ...], corner: tuple[int, int], unit: float, *, rising: bool
) -> np.ndarray:
    """Return where diagonal lines lie in a part of an image: (h, w) bool.

    Args:
        shape: h and w of the part.
        corner: row and column of the part's upper left pixel in the image.
        unit: see ``draw_mask``.
        rising: whether the lines rise to the right.
    """
    line = max(1, round(unit))
    y, x = np.ogrid[: shape[0], : shape[1]]
    along = x + corner[1] + (y + corner[0] if rising else -y - corner[0])
    return along % (HATCH_PERIOD * line) < line


def _mixed(pixels: np.ndarray, colour: Colour, share: float | np.ndarray) -> np.ndarray:
    """Return pixels (n, 3) uint8 with a share of a colour, 0 to 1, in each."""
    mixed = pixels + share * (np.array(colour, dtype=np.float32) - pixels)
    return mixed.round().astype(np.uint8)
