"""Cuts detections out of their image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ovdistill.core.images import write_image
from ovdistill.core.result_names import safe_name
from ovdistill.inference.formats.parts import pixels_of, whole_pixels

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections


def crops(detections: Detections, margin: float = 0.0) -> list[np.ndarray]:
    """Cut each detection out of the image.

    Args:
        detections: n detections of an image that they hold, or whose file they name.
        margin: what is left around a box, in its widths at the sides and its heights above and
            below, as far as the image goes.

    Returns:
        n arrays (h, w, 3) uint8 RGB, views of the image, of at least one pixel.

    Raises:
        UserError: the image is unknown, or its file cannot be read.
    """
    image = pixels_of(detections)
    extra = margin * np.tile(detections.boxes[:, 2:] - detections.boxes[:, :2], 2)
    boxes = whole_pixels(detections.boxes + extra * (-1, -1, 1, 1), image.shape[:2])
    return [image[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes.tolist()]


def save_crops(
    detections: Detections, folder: str | os.PathLike[str], margin: float = 0.0
) -> list[Path]:
    """Write each detection as a PNG file, such as "photo_000_red star.png".

    Args:
        detections: n detections, see ``crops``.
        folder: the folder for the files.
        margin: see ``crops``.

    Returns:
        n paths. Names hold no separators and nothing else that a file system does not take.

    Raises:
        UserError: see ``crops``; or the folder cannot be written to.
    """
    stem = f"{Path(detections.path).stem}_" if detections.path else ""
    paths = []
    for number, crop in enumerate(crops(detections, margin)):
        name = safe_name(f"{stem}{number:03d}_{detections.names[number]}")
        paths.append(Path(folder, f"{name}.png"))
        write_image(paths[-1], crop)
    return paths
