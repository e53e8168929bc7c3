"""Read images by one set of rules, so that training, extraction and testing see the same pixels.

The rules, for every format:

- EXIF orientation is applied: the image is upright. An orientation that cannot be read, or that
  a PNG file states behind its pixels, is none.
- Grey images of 16 bits are scaled to 8 (divided by 257 and rounded), so are those of 32 bits
  whose values fit into 16. Of colour images with 16 bits a channel Pillow keeps the upper 8.
- Grey images of floating-point values are scaled from 0..1 to 8 bits.
- Values that do not fit (NaN, negative, 1.5 of a float, 70,000 of an integer) are an error, because
  nobody knows what is black and what is white in them.
- Grey, palette and CMYK images become RGB.
- Transparency is dropped: a transparent pixel has the colour that the file states for it.
- Of an animation, or of a file with several images, the first one is read.
- Images of more than ``MAX_PIXELS`` pixels are refused before they are decoded.
- Only regular files are opened: a pipe or a device would wait for ever.
- Only ``FORMATS`` are opened: Pillow has others, of which EPS runs another program.

Encoded bytes, Pillow's images and arrays follow the rules of files.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file
from ovdistill.core.image_kinds import describe_bytes, describe_file
from ovdistill.core.image_pixels import array_to_rgb, image_to_rgb

FORMATS = (
    *("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "MPO", "JPEG2000", "AVIF", "HEIF"),
    *("DIB", "ICO", "PSD", "QOI"),
)
MAX_PIXELS = 500_000_000  # 20,000 x 20,000 passes; 1.5 GB as RGB
UPRIGHT = 1  # the EXIF orientation of an image that is as it is shown
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
PNG_LEVEL = 1  # of zlib, the fastest; 6, Pillow's own, takes 2 to 3 times as long
DECODING_ERRORS = (
    *(Image.DecompressionBombError, OSError, EOFError),
    # what Pillow's decoders raise on damaged files, a broken PNG for one
    *(SyntaxError, ValueError, IndexError, TypeError, KeyError),
    *(OverflowError, RuntimeError, struct.error, zlib.error),
)
_LIMIT_LOCK = threading.Lock()


class ImageError(UserError):
    """Error for an image that is missing, damaged or too large.

    Attributes:
        path: the file, or what the image is called.
        problem: what is wrong, without the name of the file.
    """

    def __init__(self, path: str | os.PathLike[str], problem: str = "") -> None:
        # torch makes a worker's error again from its message alone
        name = os.fspath(path)
        super().__init__(f"cannot read image {name}: {problem}" if problem else name)
        self.path, self.problem = name, problem or name


def read_image(
    path: str | os.PathLike[str], expected_size: tuple[int, int] | None = None
) -> np.ndarray:
    """Read an image file by the rules of this module.

    Args:
        path: the file.
        expected_size: height and width according to an annotation file, in pixels; None if
            unknown.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: no such file, not an image, a damaged one, one that is too large, or one of
            another size than expected.
    """
    with open_image(path) as image:
        return _decode(image, path, expected_size)


def decode_image(content: bytes, name: str = "bytes") -> np.ndarray:
    """Decode the bytes of an image file by the rules of this module.

    Args:
        content: a whole file: JPEG, PNG, ...
        name: what error messages call the image.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: not an image, a damaged one, or one that is too large.
    """
    with open_image(name, content) as image:
        return _decode(image, name)


def convert_image(image: Image.Image | np.ndarray, name: str = "image") -> np.ndarray:
    """Convert one of Pillow's images, or an array, by the rules of this module.

    Args:
        image: an image, which stays as it is; or an array, see ``image_pixels.array_to_rgb``.
        name: what error messages call the image.

    Returns:
        (H, W, 3) uint8 RGB: an array of this form itself, not a copy.

    Raises:
        ImageError: an array of another shape or type, values that do not fit, or an image that was
            opened and cannot be decoded.
    """
    with _clear_errors(name):
        if isinstance(image, np.ndarray):
            return array_to_rgb(image)
        return _decode(image.copy() if _orientation(image) else image, name)


def read_image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Read height and width of an upright image from its header, without decoding its pixels.

    Returns:
        Height and width in pixels, as ``read_image`` would return them.

    Raises:
        ImageError: no such file, or not an image. Damage after the header is not found.
    """
    with open_image(path) as image:
        width, height = image.size
        return (width, height) if _is_turned(image) else (height, width)


def read_orientation(path: str | os.PathLike[str]) -> int:
    """Read the EXIF orientation by which ``read_image`` makes an image upright.

    Returns:
        1 to 8; ``UPRIGHT`` where a file states none.

    Raises:
        ImageError: no such file, or not an image.
    """
    with open_image(path) as image:
        found = _orientation(image)
    return UPRIGHT if found is None or found not in range(2, 9) else found


def size_problem(found: tuple[int, int], expected: tuple[int, int], *, turned: bool = False) -> str:
    """Return what is wrong with an image of another size than an annotation file says.

    Args:
        found: height and width of the upright image.
        expected: height and width in the annotation file.
        turned: its EXIF data turn the image by 90 degrees.
    """
    cause = "it was resized, or is another image"
    if found == (expected[1], expected[0]):
        cause = "its EXIF data turn it, and the file has the size before" if turned else "turned"
    return (
        f"it is {found[1]} x {found[0]} pixels, but {expected[1]} x {expected[0]} in the "
        f"annotations ({cause})"
    )


def write_image(path: str | os.PathLike[str], pixels: np.ndarray) -> None:
    """Write a PNG file, or a JPEG file if the name ends so, complete or not at all.

    Args:
        path: the file; see ``atomic_file``.
        pixels: (H, W, 3) uint8 RGB.
    """
    jpeg = Path(path).suffix.lower() in (".jpg", ".jpeg")
    png: dict[str, Any] = dict(format="PNG", compress_level=PNG_LEVEL)
    options = dict(format="JPEG", quality=95) if jpeg else png
    with atomic_file(path) as temporary:
        Image.fromarray(pixels).save(temporary, **options)


@contextmanager
def open_image(name: str | os.PathLike[str], content: bytes | None = None) -> Iterator[Image.Image]:
    """Provide Pillow's image of a file, or of its content, whose pixels are not decoded yet.

    All errors of reading it, also those inside of the block, become ``ImageError``.
    """
    if content is None:
        _check_regular(name)
    with _clear_errors(name):
        try:
            with _without_pillow_limit():  # only the header is read
                image = Image.open(
                    name if content is None else io.BytesIO(content), formats=_formats()
                )
        except UnidentifiedImageError as error:
            kind = describe_file(name) if content is None else describe_bytes(content)
            raise ImageError(name, kind) from error
        with image:
            yield image


@contextmanager
def _clear_errors(name: str | os.PathLike[str]) -> Iterator[None]:
    """Turn errors of decoding an image into ``ImageError``."""
    try:
        yield
    except MemoryError as error:
        raise ImageError(name, "too little memory to decode it") from error
    except DECODING_ERRORS as error:
        expected = "expected an undamaged image of a common format (JPEG, PNG, WebP, TIFF, BMP)"
        raise ImageError(name, f"{_reason(error)}; {expected}") from error


def _decode(
    image: Image.Image,
    name: str | os.PathLike[str],
    expected_size: tuple[int, int] | None = None,
) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB of an opened image, which is turned upright in place."""
    width, height = image.size
    if not 0 < width * height <= MAX_PIXELS:
        raise ImageError(name, f"{width} x {height} pixels; expected 1 to {MAX_PIXELS:,} in all")
    turned = _is_turned(image)
    found = (width, height) if turned else (height, width)
    if expected_size is not None and found != tuple(expected_size):
        raise ImageError(name, size_problem(found, expected_size, turned=turned))
    orientation = _orientation(image)  # before the pixels, as ``read_image_size`` sees it
    image.load()  # a truncated file raises here
    if orientation in range(2, 9):
        ImageOps.exif_transpose(image, in_place=True)
    return image_to_rgb(image)


def _check_regular(path: str | os.PathLike[str]) -> None:
    """Raise ImageError unless a path is a regular file, which can be opened without waiting."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        raise ImageError(path, "there is no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ImageError(path, _reason(error)) from error
    if stat.S_ISDIR(mode):
        raise ImageError(path, "it is a folder")
    if not stat.S_ISREG(mode):
        raise ImageError(path, "it is a pipe, socket or device; expected a regular file")


def _formats() -> list[str]:
    """Return those of ``FORMATS`` that are installed; HEIF comes with another package."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _reason(error: Exception) -> str:
    """Return what an error says, without the path that an ``OSError`` repeats."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _orientation(image: Image.Image) -> int | None:
    if image.format == "PNG" and "exif" not in image.info:
        return None  # Pillow would decode the pixels to look behind them
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except DECODING_ERRORS:  # damaged EXIF data say nothing; the pixels may be good
        return None


def _is_turned(image: Image.Image) -> bool:
    """Return True if width and height of a file are exchanged in the upright image."""
    # of a TIFF file Pillow gives the upright size from the start
    return _orientation(image) in TURNED and image.format != "TIFF"


@contextmanager
def _without_pillow_limit() -> Iterator[None]:
    """Switch off Pillow's limit of pixels, which is lower and one for the whole process."""
    with _LIMIT_LOCK:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
