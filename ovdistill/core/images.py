"""Read images by one set of rules, so that training, extraction and testing see the same pixels.

The rules, for every format:

- EXIF orientation is applied: the image is upright.
- Grey images of 16 bits are scaled to 8 (divided by 257 and rounded). Of colour images with 16
  bits a channel Pillow keeps the upper 8.
- Grey, palette and CMYK images become RGB.
- Transparency is dropped: a transparent pixel has the colour that the file states for it.
- Of an animation the first frame is read.
- Images of more than ``MAX_PIXELS`` pixels are refused before they are decoded.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
MAX_PIXELS = 500_000_000  # 20,000 x 20,000 passes; 1.5 GB as RGB
# Pillow's modes of 16 bit grey ("I" for some PNG files), which it cuts off at 255 in conversion
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
DECODING_ERRORS = (
    *(UnidentifiedImageError, Image.DecompressionBombError, OSError, EOFError),
    # what Pillow's decoders raise on damaged files, a broken PNG for one
    *(SyntaxError, ValueError, IndexError, TypeError, struct.error, zlib.error),
)
_LIMIT_LOCK = threading.Lock()


class ImageError(UserError):
    """Error for an image that is missing, damaged or too large.

    Attributes:
        problem: what is wrong, without the name of the file.
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
    with _opened(path) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageError(
                path, f"{width} x {height} pixels; expected at most {MAX_PIXELS:,} in all"
            )
        image.load()  # a truncated file raises here
        return np.array(_to_rgb(ImageOps.exif_transpose(image)))


def read_image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Read height and width of an upright image from its header, without decoding its pixels.

    Returns:
        Height and width in pixels, as ``read_image`` would return them.

    Raises:
        ImageError: no such file, or not an image. Damage after the header is not found.
    """
    with _opened(path) as image:
        width, height = image.size
        # of a TIFF file Pillow gives the upright size from the start
        turned = image.getexif().get(ExifTags.Base.Orientation) in TURNED
        return (width, height) if turned and image.format != "TIFF" else (height, width)


def write_image(path: str | os.PathLike[str], pixels: np.ndarray) -> None:
    """Write a PNG file, complete or not at all; see ``atomic_file``.

    Args:
        path: the file.
        pixels: (H, W, 3) uint8 RGB.
    """
    with atomic_file(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def find_images(path: str | os.PathLike[str]) -> list[Path]:
    """Return the image files of a folder, sorted by name; of a file, the file alone.

    Args:
        path: an image, of whatever suffix; or a folder, whose images have one of ``SUFFIXES``.
            Folders below it are not searched.

    Raises:
        UserError: no such file or folder, or a folder without images.
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


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """Provide an opened image; errors of opening and decoding it become ``ImageError``."""
    if not Path(path).is_file():
        kind = "it is a folder" if Path(path).is_dir() else "there is no such file"
        raise ImageError(path, kind)
    try:
        with _without_pillow_limit():
            image = Image.open(path)  # reads the header only
        with image:
            yield image
    except DECODING_ERRORS as error:
        expected = "expected an undamaged image of a common format (JPEG, PNG, WebP, TIFF, BMP)"
        raise ImageError(path, f"{error}; {expected}") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode not in DEEP_MODES:
        return image.convert("RGB")
    values = np.asarray(image, dtype=np.float32) / 257
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert("RGB")


@contextmanager
def _without_pillow_limit() -> Iterator[None]:
    """Switch off Pillow's limit of pixels, which is lower and one for the whole process."""
    with _LIMIT_LOCK:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
