"""Draws label maps on their image, and shows or writes the drawing."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.inference.drawn import NOTEBOOK_PIXELS, open_window, save_by_suffix
from ovdistill.inference.large_images import MAX_PIXELS, reduce_image

if TYPE_CHECKING:
    from ovdistill.inference.segmentation_result import SegmentationResult


def draw(result: SegmentationResult, max_pixels: int = MAX_PIXELS, note: str = "") -> np.ndarray:
    """Draw the areas of the names on the image, with a legend of those that occur below it.

    Args:
        result: of an image that it holds, or whose file it names.
        max_pixels: a larger image is reduced first, a small one is enlarged.
        note: a text below the legend, in red.

    Returns:
        (H', W', 3) uint8 RGB.

    Raises:
        UserError: the image is unknown, or its file cannot be read.
    """
    from ovdistill.inference.segmentation_result import resize_labels
    from ovdistill.visualization.areas import draw_label_map  # shares need no OpenCV

    image = result.image
    if image is None:
        if result.path is None:
            raise UserError(
                "the image of this label map is unknown: dataclasses.replace(result, image=...) "
                "with (H, W, 3) uint8 RGB, or path=..."
            )
        height, width = result.labels.shape
        image = read_image(result.path, (height, width))
    small = reduce_image(image, max_pixels)
    labels = resize_labels(result.labels, small.shape[:2])
    return draw_label_map(small, labels, result.names, note)


def drawing_png(result: SegmentationResult) -> bytes:
    """Return the drawing as a PNG file for a notebook; see ``draw``."""
    file = io.BytesIO()
    Image.fromarray(draw(result, NOTEBOOK_PIXELS)).save(file, "png")
    return file.getvalue()


def show(result: SegmentationResult) -> None:
    """Open the drawing in the program that the system shows images with.

    Raises:
        UserError: there is no such program, or see ``draw``.
    """
    open_window(draw(result), "label map")


def save(result: SegmentationResult, path: str | os.PathLike[str]) -> Path:
    """Write the drawing or the shares, by the suffix of the file.

    Args:
        result: what to write.
        path: .png, .jpg or .jpeg for the drawing, .json for ``SegmentationResult.to_dict``. For the
            label map itself see ``SegmentationResult.save_label_map``.

    Returns:
        The path.

    Raises:
        UserError: another suffix, a path that cannot be written to, or see ``draw``.
    """
    return save_by_suffix(path, "a label map", result.to_dict, lambda: draw(result))
