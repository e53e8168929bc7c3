"""Label maps: for each pixel of an image the row of its class in a vocabulary.

A label map is (H, W) of whole numbers: rows of the vocabulary, or ``IGNORE``. In training it is
``UNLABELLED`` where the class is in the vocabulary, and its label is kept back. A panoptic truth or
prediction has a second map beside it, (H, W) segment numbers from 0, or ``CROWD``: pixels of the
same row and the same number are one segment. All of a stuff class is one segment.

On disk a label map is an image of values that only its data set knows (``LabelTable``): one channel
of at most 16 bits, or a palette image, whose colours say nothing. COCO's panoptic maps are RGB
images of segment ids, red + 256 green + 65536 blue.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import MAX_PIXELS, ImageError, open_image
from ovdistill.datasets.names.label_table import MOST_VALUE
from ovdistill.segmentation.data.stored_values import stored_factor

IGNORE = -1  # a pixel of no class of the vocabulary, a border between objects, padding
UNLABELLED = -2  # in training: a pixel of a class of the vocabulary that is not labelled
VOID = 0  # of a panoptic map: the id of pixels of no segment, and so their value
CROWD = -1  # segment number of a region of several objects that are not told apart
NO_CLASS_VALUES = (255, 65535)  # by agreement, in maps of 8 and of 16 bits
LOSSLESS = ("PNG", "TIFF", "BMP", "GIF", "PPM")
ONE_CHANNEL = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L", "I;16N")
UNKNOWN = -3  # in a lookup: a value that the label table does not have


def read_label_map(
    path: str | os.PathLike[str], expected_size: tuple[int, int] | None = None
) -> np.ndarray:
    """Read the values of a label map file.

    Args:
        path: an image of one channel; of a palette image the indices are read.
        expected_size: height and width of the image it belongs to, in pixels; None if unknown.

    Returns:
        (H, W) int32, 0 to ``MOST_VALUE``.

    Raises:
        ImageError: no such file, a damaged one, one of colours or of a lossy format, one whose
            values Pillow changes and nobody can have back, or one of another size than its image.
    """
    pixels = _read(path, ONE_CHANNEL, "one channel of 8 or 16 bits, or a palette", expected_size)
    low, high = int(pixels.min()), int(pixels.max())
    if not 0 <= low <= high <= MOST_VALUE:
        raise ImageError(path, f"values from {low} to {high}; expected 0 to {MOST_VALUE}")
    return pixels.astype(np.int32)


def read_segment_ids(
    path: str | os.PathLike[str], expected_size: tuple[int, int] | None = None
) -> np.ndarray:
    """Read the segment ids of a panoptic map in COCO's format.

    Args:
        path: an RGB image, red + 256 green + 65536 blue.
        expected_size: see ``read_label_map``.

    Returns:
        (H, W) int32; 0 = no segment.

    Raises:
        ImageError: see ``read_label_map``.
    """
    pixels = _read(path, ("RGB",), "RGB, the ids of segments", expected_size).astype(np.int32)
    return pixels[..., 0] + 256 * pixels[..., 1] + 65536 * pixels[..., 2]


def lookup_of(rows: Mapping[int, int], known: Mapping[int, object]) -> np.ndarray:
    """Return the row of each value as an array that ``values_to_rows`` takes.

    Args:
        rows: the row of each value that is used, or ``UNLABELLED``.
        known: all values that a label table has; those without a row become ``IGNORE``.

    Returns:
        (largest value + 2,) int32: rows, ``UNLABELLED``, ``IGNORE`` or ``UNKNOWN``; the last one
        is for all values above.
    """
    lookup = np.full(max([*known, *NO_CLASS_VALUES]) + 2, UNKNOWN, np.int32)
    lookup[[*NO_CLASS_VALUES, *known]] = IGNORE
    for value, row in rows.items():
        lookup[value] = row
    return lookup


def values_to_rows(values: np.ndarray, lookup: np.ndarray, place: str) -> np.ndarray:
    """Replace the values of a label map by rows of a vocabulary.

    Args:
        values: (H, W) int32, as read from a file, at least 0.
        lookup: see ``lookup_of``.
        place: the file, for the message.

    Returns:
        (H, W) int32, rows, ``UNLABELLED`` or ``IGNORE``.

    Raises:
        UserError: pixels have values that the label table does not have.
    """
    rows = lookup[np.minimum(values, len(lookup) - 1)]
    unknown = rows == UNKNOWN
    if unknown.any():
        counts = np.bincount(values[unknown])  # of a large map much faster than np.unique
        strange = np.flatnonzero(counts)
        listed = ", ".join(f"{value} ({counts[value]:,} pixels)" for value in strange[:5])
        raise UserError(
            f"label map {place} has {len(strange)} values that its label table lacks: {listed}. "
            "Expected the values of the data set that `labels` names; another data set's maps need "
            "its own table (a file with a value, a tab and a class name in each line)."
        )
    return rows


def _read(
    path: str | os.PathLike[str],
    modes: tuple[str, ...],
    expected: str,
    expected_size: tuple[int, int] | None,
) -> np.ndarray:
    with open_image(path) as image:
        if problem := _problem(image, modes, expected, expected_size):
            raise ImageError(path, problem)
        try:
            factor = stored_factor(image)
        except ValueError as error:
            raise ImageError(
                path, f"{error}; expected a PNG file of 8 or 16 bits or with a palette"
            ) from None
        pixels = np.asarray(image)
        return pixels if factor == 1 else pixels // factor


def _problem(
    image: Image.Image, modes: tuple[str, ...], expected: str, size: tuple[int, int] | None
) -> str:
    """Return what is wrong with the form of a label map, or an empty text."""
    width, height = image.size
    if not 0 < width * height <= MAX_PIXELS:
        return f"{width} x {height} pixels; expected 1 to {MAX_PIXELS:,} in all"
    if image.format not in LOSSLESS:
        return f"a label map in {image.format}, which changes values; expected PNG"
    if image.mode not in modes:
        return f"pixels of mode {image.mode}; expected {expected}"
    if size is not None and (height, width) != tuple(size):
        return (
            f"the label map has {width} x {height} pixels, its image {size[1]} x {size[0]}; "
            "expected one label for each pixel"
        )
    return ""
