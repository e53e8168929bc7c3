"""Write what a search has found: data, and a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ovdistill.core.files import write_json
from ovdistill.core.images import ImageError, read_image, write_image
from ovdistill.inference.search.index import Hit
from ovdistill.visualization.contact_sheet import Tile, contact_sheet

AROUND = 0.25  # of the longer side of a box, shown on each side of it
TILE_SIDE = 320  # pixels of the longer side of a crop; smaller images are enlarged to it too
LARGEST_SIDE = 1600  # pixels of the longer side of an image that a box is outlined in
ON_SHEET = 300  # hits that a sheet shows; of thousands nothing could be made out
OUTLINE = (230, 57, 70)  # RGB


def hits_as_json(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return hits as plain JSON values, boxes rounded to 0.01 pixels."""
    return [
        asdict(hit)
        | {
            "score": round(hit.score, 6),
            "box": [round(value, 2) for value in hit.box],
            "objectness": round(hit.objectness, 4),
        }
        for hit in hits
    ]


def write_hits(path: Path, hits: Sequence[Hit], origin: dict[str, Any]) -> None:
    """Write hits and what made them as a JSON file."""
    write_json(path, {**origin, "hits": hits_as_json(hits)})


def write_sheet(path: Path, hits: Sequence[Hit], title: str) -> int:
    """Draw hits with some of what is around them, their rank and score, and write a PNG file.

    Args:
        path: the file.
        hits: at least one, the best first; the first ``ON_SHEET`` are drawn.
        title: a line above them.

    Returns:
        How many images are missing or cannot be read: a grey tile names each.
    """
    hits = hits[:ON_SHEET]
    # a hit is drawn with those of its image, so that no image is read twice
    tiles: dict[int, Tile] = {}
    several = len({hit.name for hit in hits}) > 1
    for image in dict.fromkeys(hit.image for hit in hits):
        own = [hit for hit in hits if hit.image == image]
        pixels = None if own[0].state == "missing" else read_if_there(image)
        for hit in own:
            crop = None if pixels is None else crop_around(pixels, hit.box)
            below = f"{hit.rank}. {hit.score:.3f}" + f" {hit.name}" * several
            tiles[hit.rank] = Tile(crop, below, image)
    write_image(path, contact_sheet([tiles[hit.rank] for hit in hits], title))
    return len({hit.image for hit in hits if tiles[hit.rank].image is None})


def read_if_there(image: str) -> np.ndarray | None:
    """Return an image, or None if it cannot be read any more."""
    try:
        return read_image(image)
    except ImageError:
        return None


def crop_around(image: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Return a box of an image, outlined, with what is around it: ``TILE_SIDE`` pixels long.

    Args:
        image: (H, W, 3) uint8 RGB; of a file that has changed it may be smaller than it was.
        box: xyxy, absolute pixels.
    """
    height, width = image.shape[:2]
    inside = np.clip(box, 0, [width, height] * 2).tolist()
    left, top, right, bottom = inside
    margin = AROUND * max(right - left, bottom - top)
    x1, y1 = int(max(0, min(left - margin, width - 1))), int(max(0, min(top - margin, height - 1)))
    x2, y2 = int(np.ceil(min(width, right + margin))), int(np.ceil(min(height, bottom + margin)))
    crop = image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    own = [v - o for v, o in zip(inside, (x1, y1, x1, y1), strict=True)]
    return outlined(crop, own, TILE_SIDE)


def outlined(image: np.ndarray, box: Sequence[float], largest: int = LARGEST_SIDE) -> np.ndarray:
    """Return an image with the outline of a box; a small one is enlarged, so that lines are thin.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: xyxy, absolute pixels.
        largest: pixels of the longer side, to which a larger image is reduced.
    """
    longer = max(image.shape[:2])
    zoom = min(max(longer, TILE_SIDE), largest) / longer
    size = [max(1, round(side * zoom)) for side in (image.shape[1], image.shape[0])]
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    drawn = cv2.resize(image, size, interpolation=way)
    corners = [round(value * zoom) for value in box]
    thickness = max(1, round(max(drawn.shape[:2]) / 160))
    cv2.rectangle(drawn, corners[:2], corners[2:], OUTLINE, thickness)
    return drawn
