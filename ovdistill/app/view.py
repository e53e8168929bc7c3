"""What the page shows of a look: a drawing that can be clicked, lines of text, a table."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import cv2
import numpy as np

from ovdistill.app.finder import Look
from ovdistill.app.kept_masks import MOST_PIXELS
from ovdistill.inference.detection import Detection
from ovdistill.inference.detections import Detections
from ovdistill.inference.large_images import reduce_image
from ovdistill.visualization.drawing import draw_detections, enlargement

CROP_SIDE = 180  # pixels, of the longer side of a crop
COLUMNS = ("", "object", "score", "second", "its score")
Row = tuple[int, str, float, str, float | None]


def shown(look: Look, threshold: float) -> Detections | None:
    """Return the detections of at least a score, None if nothing was looked for yet."""
    found = _listed(look, threshold)
    if found is None or look.masks is None:
        return found
    return replace(found, masks=look.masks.first(len(found)))  # the best ones come first


def _listed(look: Look, threshold: float) -> Detections | None:
    """Return what ``shown`` does, without masks."""
    return None if look.detections is None else look.detections.filter(min_score=threshold)


def draw(look: Look, threshold: float) -> np.ndarray:
    """Draw what was found; without a legend, since a table stands beside it.

    Returns:
        (H', W', 3) uint8 RGB: the image, and in crowded images a legend below it.
    """
    found = shown(look, threshold)
    small = reduce_image(look.image, MOST_PIXELS)
    if found is None:
        return small
    moved = found.moved(look.image.shape[:2], small.shape[:2])
    return draw_detections(small, moved, ())


def in_image(image: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """Return where a point of the drawing lies in the image, in pixels of the original."""
    small = reduce_image(image, MOST_PIXELS)
    factor = image.shape[1] / small.shape[1] / enlargement(small)
    return x * factor, y * factor


def at_point(detections: Detections, x: float, y: float) -> int | None:
    """Return the index of the object at a point: of several, the smallest whose mask is there.

    Args:
        detections: in pixels of the original image.
        x: in pixels of the original image.
        y: in pixels of the original image.
    """
    x1, y1, x2, y2 = detections.boxes.T
    inside = ((x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2)).nonzero()[0]
    if not len(inside):
        return None
    on_mask = inside[[_covers(detections, index, x, y) for index in inside]]
    candidates = on_mask if len(on_mask) else inside
    return int(candidates[detections.areas[candidates].argmin()])


def _covers(detections: Detections, index: int, x: float, y: float) -> bool:
    if detections.masks is None or detections.image_size is None:
        return False
    mask = detections.masks[index]
    height, width = detections.image_size
    row, column = int(y * mask.shape[0] / height), int(x * mask.shape[1] / width)
    return bool(mask[min(row, mask.shape[0] - 1), min(column, mask.shape[1] - 1)])


def crop(one: Detection) -> np.ndarray:
    """Return an object with a little of what is around it, enlarged if it is small."""
    cut = one.crop(0.1)
    size = (cut.shape[1], cut.shape[0])
    factor = max(1.0, CROP_SIDE / max(size))
    width, height = (max(1, round(side * factor)) for side in size)
    return cv2.resize(cut, (width, height), interpolation=cv2.INTER_CUBIC)


def table(look: Look, threshold: float) -> list[Row]:
    """Return a row for each detection: number, name, score, the second best name, its score."""
    found = _listed(look, threshold)
    rows: list[Row] = []
    for number, one in enumerate(found or (), start=1):
        second, score = one.runner_up or ("", None)
        rounded = None if score is None else round(score, 3)
        rows.append((number, one.name, round(one.score, 3), second, rounded))
    return rows


def status(look: Look, threshold: float) -> str:
    """Return HTML that says what was found, how long it took, and what was changed."""
    found = _listed(look, threshold)
    if found is None:
        return "Type what to look for."
    counts = [f"{count} {escape(name)}" for name, count in found.counts.most_common()]
    head = f"<b>{', '.join(counts)}</b>" if counts else nothing(look)
    missing = [name for name in found.queries if name not in found.counts] if counts else []
    rest = f" Not found: {escape(', '.join(missing))}." if missing else ""
    times = f"Image {milliseconds(look.seconds)}"
    if look.name_seconds < look.seconds:
        times += f", once; these names {milliseconds(look.name_seconds)}"
    notes = "".join(f"<br>{escape(note)}" for note in look.notes)
    return f"{head}.{rest}<br><small>{times}.{notes}</small>"


def nothing(look: Look) -> str:
    """Return HTML that says that nothing was found, and what came nearest."""
    found = look.detections
    assert found is not None
    nearest = (found[0].name, found[0].score) if len(found) else found.nearest
    if nearest is None:
        return "<b>Nothing found</b>"
    name, score = nearest
    return f"<b>Nothing found</b>; nearest: {escape(name)} ({score:.2g})"


def milliseconds(seconds: float) -> str:
    """Return a duration for people."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
