"""Reading pictures and the text that goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ovdistill.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")


def read_picture(path: str | Path) -> np.ndarray:
    """Reads a picture, upright (EXIF orientation applied).

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UserError: no such file, not a picture, or a damaged one.
    """
    if not Path(path).is_file():
        raise UserError(f"no picture at {path}")
    try:
        with Image.open(path) as picture:
            return np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        # Pillow raises SyntaxError for a broken PNG
        raise UserError(
            f"cannot read {path} as a picture ({error}): expected an undamaged file, one of "
            f"{', '.join(SUFFIXES)}."
        ) from error


def find_pictures(path: str | Path) -> list[Path]:
    """A picture's path as it is, or the pictures of a directory by name (not of those below).

    Raises:
        UserError: neither, or a directory without pictures.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"no picture or directory at {path}")
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise UserError(f"no pictures in {path}: expected files that end in {', '.join(SUFFIXES)}")
    return found


def parse_queries(text: str | Sequence[str]) -> tuple[str, ...]:
    """Splits "red star, outlined heart" at its commas; repeats and empty parts are dropped.

    Args:
        text: one text, or the queries as a sequence.

    Raises:
        UserError: nothing is left.
    """
    parts = text.split(",") if isinstance(text, str) else text
    queries = tuple(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))
    if not queries:
        raise UserError(
            f"no query in the text {text!r}: expected words between commas, for example "
            '--text "red striped star, outlined heart".'
        )
    return queries
