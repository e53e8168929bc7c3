"""Draws a contact sheet of OVShapes, to see whether all categories can be told apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from ovdistill.ovshapes import drawing as draw
from ovdistill.ovshapes.categories import BACKGROUNDS, COLOURS, PATTERNS, SHAPES
from ovdistill.ovshapes.domains import DOMAINS, PAINTED, check_domain
from ovdistill.ovshapes.generate import SIZES
from ovdistill.ovshapes.scenes import scene

ZOOM = 2
LABEL = 64  # width of the column of shape names, in pixels of the sheet
ROWS, COLUMNS = 3, 6  # of whole images


def contact_sheet(seed: int = 0, size: int = 128, domain: str = PAINTED) -> np.ndarray:
    """Draw every category in a small and a large size, and 18 images with their captions.

    Args:
        seed: random seed.
        size: side of the images in pixels.
        domain: a key of ``DOMAINS``.

    Returns:
        (H, W, 3) uint8 RGB: a row for each shape, two columns for each pattern, then the images.
    """
    rng = np.random.default_rng((seed, 99))
    blocks = [_categories(rng, size, domain), _scenes(rng, size, domain)]
    full = max(block.shape[1] for block in blocks)
    padded = [
        np.pad(block, ((0, 8), (0, full - block.shape[1]), (0, 0)), constant_values=255)
        for block in blocks
    ]
    return np.concatenate(padded, 0)


def _categories(rng: np.random.Generator, size: int, domain: str) -> np.ndarray:
    """Draw a row for each shape, and two columns for each pattern."""
    sides = (22 * size // 128, 44 * size // 128)
    cells = (36 * size // 128, 64 * size // 128)
    titles = [_text(pattern, sum(cells) * ZOOM) for pattern in PATTERNS]
    rows = [np.concatenate([_text("", LABEL), *titles], 1)]
    for shape in SHAPES:
        row = [_text(shape, LABEL, cells[1] * ZOOM)]
        for pattern in PATTERNS:
            for side, cell in zip(sides, cells, strict=True):
                kind = BACKGROUNDS[rng.integers(len(BACKGROUNDS))]
                behind = DOMAINS[domain].background(kind, size, rng)
                canvas = behind.copy()
                colour = list(COLOURS)[rng.integers(len(COLOURS))]
                angle = np.radians(rng.uniform(-1, 1) * draw.MAX_ANGLE)
                item = draw.stamp(shape, side, angle, (size / 2, size / 2))
                DOMAINS[domain].paint(canvas, behind, item, pattern, colour, rng)
                top, left = (size - cells[1]) // 2, (size - cell) // 2
                row.append(_zoom(canvas[top : top + cells[1], left : left + cell]))
        rows.append(np.concatenate(row, 1))
    return np.concatenate(rows, 0)


def _scenes(rng: np.random.Generator, size: int, domain: str) -> np.ndarray:
    """Draw images with their captions below, a line for each object."""
    lines = []
    for _ in range(ROWS):
        line = []
        for _ in range(COLUMNS):
            drawn = scene(rng, size=size, domain=domain)
            parts = drawn.caption.replace(" and ", ", ").replace(" on a ", ", on a ").split(", ")
            text = [_text(part, size * ZOOM) for part in parts + [""] * (6 - len(parts))]
            line.append(np.concatenate([_zoom(drawn.image), *text], 0))
        lines.append(np.concatenate(line, 1))
    return np.concatenate(lines, 0)


def _zoom(image: np.ndarray) -> np.ndarray:
    pixels = np.round(image).clip(0, 255).astype(np.uint8)
    return pixels.repeat(ZOOM, 0).repeat(ZOOM, 1)


def _text(text: str, width: int, height: int = 16) -> np.ndarray:
    """Return (height, width, 3) uint8: black text on white."""
    image = np.full((height, width, 3), 255, np.uint8)
    corner = (3, height // 2 + 4)
    cv2.putText(image, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return image


def write_contact_sheet(path: Path, seed: int = 0, size: int = 128, domain: str = PAINTED) -> None:
    """Write the contact sheet of a domain as a PNG file.

    Args:
        path: the file to write.
        seed: random seed.
        size: side of the images in pixels, as a data set can have it.
        domain: a key of ``DOMAINS``.

    Raises:
        UserError: the path does not end in .png, or its folder does not exist, no such domain, or
            a size that no data set can have.
    """
    check_domain(domain)
    least, most = SIZES
    if not least <= size <= most:
        raise UserError(f"--size is {size}; expected a whole number from {least} to {most}")
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise UserError(f"--preview is {path}; expected a .png file in an existing folder")
    write_image(path, contact_sheet(seed, size, domain))
