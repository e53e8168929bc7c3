"""What the page shows of a label map: a drawing that can be clicked, lines of text, a table."""

from __future__ import annotations

from html import escape

import numpy as np

from ovdistill.app.kept_masks import MOST_PIXELS
from ovdistill.app.segmenter import Segmented
from ovdistill.app.view import in_image, milliseconds
from ovdistill.inference.drawn_labels import draw as draw_labels
from ovdistill.visualization.areas import names_by_size

COLUMNS = ("", "name", "share, %", "mean score")
Row = tuple[int, str, float, float]


def draw(found: Segmented, threshold: float) -> np.ndarray:
    """Return the drawing, (H', W', 3) uint8 RGB: the image, and its legend below."""
    return draw_labels(found.result.filter(threshold), MOST_PIXELS)


def pixel(found: Segmented, x: float, y: float) -> tuple[int, int] | None:
    """Return the pixel of the image at a point of the drawing; None on the legend."""
    column, row = (int(at) for at in in_image(found.image, x, y))
    height, width = found.image.shape[:2]
    return (column, row) if column < width and row < height else None


def table(found: Segmented, threshold: float) -> list[Row]:
    """Return a row for each name that occurs: number in the drawing, name, share, mean score."""
    result = found.result.filter(threshold)
    rows = []
    for number, row in enumerate(names_by_size(result.labels, len(result.names)), start=1):
        mask = result.labels == row
        share, score = 100 * float(mask.mean()), float(result.confidence[mask].mean())
        rows.append((number, result.names[row], round(share, 1), round(score, 3)))
    return rows


def status(found: Segmented, threshold: float) -> str:
    """Return HTML that says what was found, what was not, and how long it took."""
    result = found.result.filter(threshold)
    shares = [f"{escape(name)} {100 * result.shares[name]:.0f} %" for name in result.found]
    head = f"<b>{', '.join(shares)}</b>" if shares else "<b>No pixel has one of the names</b>"
    missing = [escape(name) for name in result.names if name not in result.found]
    rest = f" Not found: {', '.join(missing)}." if shares and missing else ""
    notes = "".join(f"<br>{escape(note)}" for note in found.notes)
    return f"{head}.{rest}<br><small>{milliseconds(found.seconds)}.{notes}</small>"
