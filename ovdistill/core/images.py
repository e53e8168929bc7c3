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
"""

from __future__ import annotations

import os
import stat
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
from ovdistill.core.image_kinds import describe_file

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
FORMATS = (
    *("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "MPO", "JPEG2000", "AVIF", "HEIF"),
    *("DIB", "ICO", "PSD", "QOI"),
)
MAX_PIXELS = 500_000_000  # 20,000 x 20,000 passes; 1.5 GB as RGB
# the largest value of Pillow's modes with more than 8 bits, which it cuts off at 255 in conversion
DEEP_MODES = {"I;16": 65535, "I;16B": 65535, "I;16L": 65535, "I;16N": 65535, "I": 65535, "F": 1}
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
STRIP = 16_000_000  # pixels that are converted at once
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
        problem: what is wrong, without the name of the file.
    """

    def __init__(self, path: str | os.PathLike[str], problem: str = "") -> None:
        # torch makes a worker's error again from its message alone
        name = os.fspath(path)
        super().__init__(f"cannot read image {name}: {problem}" if problem else name)
        self.problem = problem or name


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
    with _opened(path) as image:
        width, height = image.size
        if not 0 < width * height <= MAX_PIXELS:
            raise ImageError(
                path, f"{width} x {height} pixels; expected 1 to {MAX_PIXELS:,} in all"
            )
        turned = _is_turned(image)
        found = (width, height) if turned else (height, width)
        if expected_size is not None and found != tuple(expected_size):
            raise ImageError(path, size_problem(found, expected_size, turned=turned))
        orientation = _orientation(image)  # before the pixels, as ``read_image_size`` sees it
        image.load()  # a truncated file raises here
        if orientation in range(2, 9):
            ImageOps.exif_transpose(image, in_place=True)
        return _to_rgb(image)


def read_image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Read height and width of an upright image from its header, without decoding its pixels.

    Returns:
        Height and width in pixels, as ``read_image`` would return them.

    Raises:
        ImageError: no such file, or not an image. Damage after the header is not found.
    """
    with _opened(path) as image:
        width, height = image.size
        return (width, height) if _is_turned(image) else (height, width)


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
        UserError: no such file or folder, a folder that cannot be read, or one without images.
    """
    path = Path(path)
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        files = sorted(path.iterdir()) if is_folder else [path]
    except (OSError, ValueError) as error:
        raise UserError(f"no image or folder at {path} ({_reason(error)})") from error
    if not is_folder:
        return files
    found = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not found:
        raise UserError(f"no images in {path}: expected files that end in {', '.join(SUFFIXES)}")
    return found


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """Provide an opened image; errors of opening and decoding it become ``ImageError``."""
    _check_regular(path)
    try:
        with _without_pillow_limit():
            image = Image.open(path, formats=_formats())  # reads the header only
        with image:
            yield image
    except UnidentifiedImageError as error:
        raise ImageError(path, describe_file(path)) from error
    except MemoryError as error:
        raise ImageError(path, "too little memory to decode it") from error
    except DECODING_ERRORS as error:
        expected = "expected an undamaged image of a common format (JPEG, PNG, WebP, TIFF, BMP)"
        raise ImageError(path, f"{_reason(error)}; {expected}") from error


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


def _to_rgb(image: Image.Image) -> np.ndarray:
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
            result[top:bottom] = _to_8_bits(strip)[..., None]
        else:
            result[top:bottom] = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    return result


def _to_8_bits(image: Image.Image) -> np.ndarray:
    """Return (H, W) uint8 of a grey image with more than 8 bits.

    Raises:
        ValueError: see ``_to_rgb``.
    """
    values, largest = np.asarray(image, dtype=np.float32), DEEP_MODES[image.mode]
    if not ((values >= 0) & (values <= largest)).all():
        finite = values[np.isfinite(values)]
        span = f"{finite.min():g} to {finite.max():g}" if finite.size else "NaN"
        also = " and NaN or infinity" if 0 < finite.size < values.size else ""
        raise ValueError(f"its values are {span}{also}, not 0 to {largest}: convert it to 8 bits")
    return (values * (255 / largest)).round().astype(np.uint8)


@contextmanager
def _without_pillow_limit() -> Iterator[None]:
    """Switch off Pillow's limit of pixels, which is lower and one for the whole process."""
    with _LIMIT_LOCK:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
