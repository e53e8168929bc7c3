"""Puts drawings of one image side by side, each below its title."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from ovdistill.visualization.fonts import draw_line, lay_out
from ovdistill.visualization.palette import INK, PAPER


def side_by_side(panels: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return drawings from left to right, aligned at the top.

    Args:
        panels: (h, w, 3) uint8 RGB each, by their titles.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    widest = max(drawing.shape[1] for drawing in panels.values())
    titles = [lay_out(title, max(15, widest // 40)) for title in panels]
    gap = titles[0].height // 2
    top = titles[0].height + 2 * gap
    width = sum(drawing.shape[1] + gap for drawing in panels.values()) - gap
    height = max(drawing.shape[0] for drawing in panels.values())
    sheet = Image.new("RGB", (width, top + height), PAPER)
    left = 0
    for title, drawing in zip(titles, panels.values(), strict=True):
        draw_line(sheet, left + gap, gap + title.ascent, title, INK)
        sheet.paste(Image.fromarray(drawing), (left, top))
        left += drawing.shape[1] + gap
    return np.asarray(sheet)
