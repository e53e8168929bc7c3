"""Convert images of all modes and arrays of all types to 8-bit RGB, by the rules of ``images``."""

from __future__ import annotations

import numpy as np
from PIL import Image

# the largest value of Pillow's modes with more than 8 bits, which it cuts off at 255 in conversion
DEEP_MODES = {"I;16": 65535, "I;16B": 65535, "I;16L": 65535, "I;16N": 65535, "I": 65535, "F": 1}
STRIP = 16_000_000  # pixels that are converted at once


def image_to_rgb(image: Image.Image) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB; a few rows at a time, so that a large image is held twice only.

    Raises:
        ValueError: values of which nobody knows what is black and what is white.
    """
    width, height = image.size
    result = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = image.crop((0, top, width, bottom)) if rows < height else image
        if image.mode in DEEP_MODES:
            result[top:bottom] = _scaled(np.asarray(strip), DEEP_MODES[image.mode])[..., None]
        else:
            result[top:bottom] = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    return result


def array_to_rgb(array: np.ndarray) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB of an array, by the rules for files with such values.

    Args:
        array: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, or (H, W, 4) RGBA; of uint8, uint16, bool,
            or of floating point in 0..1. uint8 RGB is returned as it is, without a copy.

    Raises:
        ValueError: another shape or type, or values that do not fit.
    """
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if channels not in (1, 3, 4) or not array.size:
        raise ValueError(
            f"an array of shape {array.shape}; expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
            f"{_shape_hint(array.shape)}"
        )
    pixels = _to_8_bits(array.reshape(*array.shape[:2], channels)[..., :3])
    return pixels.repeat(3, axis=2) if channels == 1 else pixels


def _shape_hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 4:
        return ". Give the images of a batch as a list: list(array)"
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        return ". Move the channels to the end: array.transpose(1, 2, 0)"
    return ""


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    """Return (H, W, C) uint8; see ``array_to_rgb``."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values * np.uint8(255)
    if values.dtype == np.uint16:
        return _scaled(values, 65535) if values.shape[2] == 1 else (values >> 8).astype(np.uint8)
    if np.issubdtype(values.dtype, np.floating):
        return _scaled(values, 1)
    raise ValueError(
        f"an array of {values.dtype}; expected uint8, uint16, bool, or floating point in 0..1. If "
        "its values are 0 to 255: array.astype(np.uint8)"
    )


def _scaled(values: np.ndarray, largest: int) -> np.ndarray:
    """Return values in 0..largest as uint8 in 0..255.

    Raises:
        ValueError: a value is not in 0..largest.
    """
    values = np.asarray(values, dtype=np.float32)
    if not ((values >= 0) & (values <= largest)).all():
        finite = values[np.isfinite(values)]
        span = f"{finite.min():g} to {finite.max():g}" if finite.size else "NaN"
        also = " and NaN or infinity" if 0 < finite.size < values.size else ""
        raise ValueError(f"its values are {span}{also}, not 0 to {largest}: convert it to 8 bits")
    return (values * (255 / largest)).round().astype(np.uint8)
