"""Label maps as PNG files whose colours are those of drawings."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file
from ovdistill.segmentation.data.label_map import NO_CLASS_VALUES
from ovdistill.visualization.palette import BLACK, class_colour


def label_image(labels: np.ndarray, names: int) -> Image.Image:
    """Return a label map as an image whose values are the labels.

    Of up to 255 names it has a palette: the values are indices of the colours of drawings, and 255,
    black, stands for -1. Of more it has 16 bits and no colours, and 65535 stands for -1.

    Args:
        labels: (H, W) whole numbers from -1 on.
        names: how many names there are.

    Raises:
        UserError: more names than 16 bits hold.
    """
    wide = names > NO_CLASS_VALUES[0]
    none = NO_CLASS_VALUES[wide]
    if names > none:
        raise UserError(f"got a label map of {names} names; a PNG file holds {none} at most")
    values = np.where(labels < 0, none, labels).astype(np.uint16 if wide else np.uint8)
    image = Image.fromarray(values)
    if not wide:
        colours = [*map(class_colour, range(none)), BLACK]
        image.putpalette(np.array(colours, dtype=np.uint8).tobytes())
    return image


def label_png(labels: np.ndarray, names: int) -> bytes:
    """Return a label map as the content of a PNG file; see ``label_image``."""
    file = io.BytesIO()
    label_image(labels, names).save(file, "PNG")
    return file.getvalue()


def save_label_png(path: str | os.PathLike[str], labels: np.ndarray, names: int) -> Path:
    """Write a label map, complete or not at all; see ``label_image``.

    Raises:
        UserError: another suffix than .png, or a path that cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise UserError(f"cannot save a label map as {path}: expected a name that ends in .png")
    with atomic_file(path) as temporary:
        label_image(labels, names).save(temporary, "PNG")
    return path
