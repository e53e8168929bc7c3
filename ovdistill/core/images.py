"""The one way to read an image: training, extraction, testing and the demo see the same pixels.

The rules, whatever the format:

- EXIF orientation is applied: an image is upright.
- 16 bits a channel are scaled to 8 (divided by 257, rounded).
- Grey, palette and CMYK images become RGB.
- Transparency is dropped: the colours below it count.
- Of an animation the first frame is read.
- Images of more than ``MAX_PIXELS`` pixels are refused before they are decoded.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
MAX_PIXELS = 500_000_000  # 20,000 x 20,000 passes; 1.5 GB as RGB
# 16 bits (in "I" too, as PNG files are read); PIL cuts them at 255 where it should divide
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
# Pillow raises SyntaxError for a broken PNG
DECODING_ERRORS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)
_LIMIT_LOCK = threading.Lock()


class ImageError(UserError):
    """An image that is missing, damaged or too large.

    Attributes:
        problem: what is wrong, without the file's name.
    """

    def __init__(self, path: str | os.PathLike[str], problem: str) -> None:
        super().__init__(f"cannot read image {os.fspath(path)}: {problem}")
        self.problem = problem


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an image file by the rules of this module.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: no such file, not an image, a damaged one, or one that is too large.
    """
    if not Path(path).is_file():
        kind = "it is a folder" if Path(path).is_dir() else "there is no such file"
        raise ImageError(path, kind)
    with open(path, "rb") as file:
        return _decode(file, path)


def decode_image(content: bytes, name: str = "image") -> np.ndarray:
    """Read an image from the bytes of its file, by the rules of this module.

    Args:
        content: the bytes.
        name: for error messages.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: not an image, a damaged one, or one that is too large.
    """
    return _decode(io.BytesIO(content), name)


def write_image(path: str | os.PathLike[str], pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB pixels as a PNG file, complete or not at all."""
    with atomic_file(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def find_images(path: str | os.PathLike[str]) -> list[Path]:
    """List an image as it is, or the images of a folder by name (not of the folders below).

    Raises:
        UserError: no such image or folder, or a folder without images.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"no image or folder at {path}")
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise UserError(f"no images in {path}: expected files that end in {', '.join(SUFFIXES)}")
    return found


def _decode(file: BinaryIO, name: str | os.PathLike[str]) -> np.ndarray:
    try:
        with _own_limit():
            image = Image.open(file)  # reads the header only
        with image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ImageError(
                    name, f"{width} x {height} pixels; expected at most {MAX_PIXELS:,} in all"
                )
            image.load()  # a truncated file raises here
            return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except DECODING_ERRORS as error:
        expected = "expected an undamaged image of a common format (JPEG, PNG, WebP, TIFF, BMP)"
        raise ImageError(name, f"{error}; {expected}") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode not in DEEP_MODES:
        return image.convert("RGB")
    values = np.asarray(image, dtype=np.float32) / 257
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert("RGB")


@contextmanager
def _own_limit() -> Iterator[None]:
    """Switch off Pillow's limit, which is lower and belongs to the whole process."""
    with _LIMIT_LOCK:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
