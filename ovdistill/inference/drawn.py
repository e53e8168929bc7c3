"""Draws detections on their image, and shows or writes the drawing."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageShow

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.images import write_image
from ovdistill.inference.formats.parts import pixels_of
from ovdistill.inference.large_images import MAX_PIXELS, reduce_image

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections

NOTEBOOK_PIXELS = 1_500_000  # a PNG of 2 MB, wider than a notebook's column
DRAWINGS, RECORDS = (".png", ".jpg", ".jpeg"), ".json"


def draw(detections: Detections, max_pixels: int = MAX_PIXELS, note: str = "") -> np.ndarray:
    """Draw boxes, masks and names on the image, with a legend of the queries below it.

    Args:
        detections: of an image that they hold, or whose file they name.
        max_pixels: a larger image is reduced first, a small one is enlarged.
        note: a text below the legend, in red.

    Returns:
        (H', W', 3) uint8 RGB.

    Raises:
        UserError: the image is unknown, or its file cannot be read.
    """
    from ovdistill.visualization.drawing import draw_detections  # records need no OpenCV

    image = pixels_of(detections)
    small = reduce_image(image, max_pixels)
    moved = detections.moved(image.shape[:2], small.shape[:2])
    return draw_detections(small, moved, detections.queries, note)


def to_png(detections: Detections) -> bytes:
    """Return the drawing as a PNG file for a notebook; see ``draw``."""
    file = io.BytesIO()
    Image.fromarray(draw(detections, NOTEBOOK_PIXELS)).save(file, "png")
    return file.getvalue()


def show(detections: Detections) -> None:
    """Open the drawing in the program that the system shows images with.

    Raises:
        UserError: there is no such program, or see ``draw``.
    """
    open_window(draw(detections), "detections")


def open_window(drawing: np.ndarray, title: str) -> None:
    """Open a drawing, (H, W, 3) uint8 RGB, in the program that the system shows images with.

    Raises:
        UserError: there is no such program.
    """
    if not ImageShow.show(Image.fromarray(drawing), title):
        raise UserError("no program that shows images was found: write a file, save('found.png')")


def save(detections: Detections, path: str | os.PathLike[str]) -> Path:
    """Write the drawing or the records, by the suffix of the file.

    Args:
        detections: what to write.
        path: .png, .jpg or .jpeg for the drawing, .json for ``Detections.to_dict``.

    Returns:
        The path.

    Raises:
        UserError: another suffix, a path that cannot be written to, or see ``draw``.
    """
    return save_by_suffix(path, "detections", detections.to_dict, lambda: draw(detections))


def save_by_suffix(
    path: str | os.PathLike[str],
    what: str,
    records: Callable[[], dict[str, Any]],
    drawing: Callable[[], np.ndarray],
) -> Path:
    """Write records or a drawing, by the suffix of the file; return the path.

    Args:
        path: .json for the records, .png, .jpg or .jpeg for the drawing.
        what: is saved, for the message.
        records: returns what JSON can hold.
        drawing: returns (H, W, 3) uint8 RGB.

    Raises:
        UserError: another suffix, or a path that cannot be written to.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == RECORDS:
        write_json(path, records())
    elif suffix in DRAWINGS:
        write_image(path, drawing())
    else:
        expected = ", ".join((*DRAWINGS, RECORDS))
        raise UserError(f"cannot save {what} as {path}: expected a name that ends in {expected}")
    return path
