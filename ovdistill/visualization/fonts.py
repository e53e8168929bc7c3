"""Measures and draws lines of text in any script, each character in a font that has it.

Right-to-left and joined scripts need Pillow's layout engine raqm, which most builds have; the basic
engine draws their letters one by one from the left.
"""

from __future__ import annotations

import logging
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, features

from ovdistill.core.errors import UserError
from ovdistill.core.text import printable
from ovdistill.visualization.clusters import JOINERS, UNDRAWN, clusters
from ovdistill.visualization.font_files import find_font, font_files, font_folders, has
from ovdistill.visualization.palette import Colour

LOGGER = logging.getLogger(__name__)
LONGEST_NAME = 200  # characters of a name that are tried
BITMAP_SIZES = (109, 136, 128, 160, 96, 64, 32)  # of fonts without outlines, such as emoji
HAS_RAQM = features.check_feature("raqm")
# A line begins at the left; the words inside of it run in the direction of their script.
DIRECTION = "ltr" if HAS_RAQM else None
_reported: set[str] = set()  # characters without a font that a warning was about


class Face(NamedTuple):
    """A font of the size that is wanted, or of one that is to be drawn at a scale."""

    font: ImageFont.FreeTypeFont
    scale: float


class Run(NamedTuple):
    """A part of a line in one font, and its width in pixels."""

    text: str
    face: Face
    width: float


@dataclass(frozen=True)
class Line:
    """A text that can be drawn.

    Attributes:
        runs: its parts, from left to right.
        ascent: pixels that it needs above its baseline.
        descent: pixels that it needs below its baseline.
    """

    runs: tuple[Run, ...]
    ascent: int
    descent: int

    @property
    def width(self) -> float:
        """Width in pixels."""
        return sum(run.width for run in self.runs)

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.ascent + self.descent

    @property
    def text(self) -> str:
        """What is drawn: a character that no font has is an escape such as ``[U+4E2D]``."""
        return "".join(run.text for run in self.runs)

    def followed_by(self, other: Line) -> Line:
        """Return one line of both."""
        ascent, descent = max(self.ascent, other.ascent), max(self.descent, other.descent)
        return Line(self.runs + other.runs, ascent, descent)


@lru_cache(maxsize=4096)
def lay_out(text: str, size: int) -> Line:
    """Return a text as a line in fonts of a size; whatever it holds, it is only text.

    Control characters and marks that turn the direction of writing are shown as escapes.

    Args:
        text: any text.
        size: of the fonts, in pixels.

    Raises:
        UserError: there is no font at all, or this Pillow draws no fonts.
    """
    shown = printable(unicodedata.normalize("NFC", text), keep="".join(JOINERS))
    runs = tuple(_measured(part, path, size) for part, path in _runs(shown))
    # lines are equally high, except for scripts that need more
    ascent, descent = load_face(font_files()[0], size).font.getmetrics()
    for run in runs:
        _, top, _, bottom = run.face.font.getbbox(run.text, anchor="ls", direction=DIRECTION)
        ascent = max(ascent, math.ceil(-top * run.face.scale))
        descent = max(descent, math.ceil(bottom * run.face.scale))
    return Line(runs, ascent, descent)


def fit(name: str, tail: str, size: int, width: float) -> Line:
    """Return ``name + tail`` as a line, with the name cut short to fit in ``width`` pixels.

    The tail stands to the right of the name, in whatever direction that is written.
    """
    end = lay_out(tail, size)
    whole = lay_out(name, size).followed_by(end) if len(name) <= LONGEST_NAME else None
    if whole and whole.width <= width:
        return whole
    parts = clusters(name[:LONGEST_NAME])
    low, high = 0, len(parts)  # parts that fit, and the most that may
    while low < high:
        middle = (low + high + 1) // 2
        if _cut(parts[:middle], size).width + end.width <= width:
            low = middle
        else:
            high = middle - 1
    return _cut(parts[:low], size).followed_by(end)


def wrap(text: str, size: int, width: float) -> list[Line]:
    """Break a text at its spaces into lines of at most ``width`` pixels, longer words excepted."""
    lines: list[str] = []
    for word in text.split():
        if lines and lay_out(f"{lines[-1]} {word}", size).width <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [lay_out(line, size) for line in lines]


def draw_line(image: Image.Image, left: float, baseline: float, line: Line, fill: Colour) -> None:
    """Draw a line of text on an RGB image, from ``left`` on, in pixels."""
    pen = ImageDraw.Draw(image)
    for run in line.runs:
        if run.face.scale == 1:
            pen.text(
                (left, baseline),
                run.text,
                fill,
                run.face.font,
                "ls",
                direction=DIRECTION,
                embedded_color=True,
            )
        else:
            _draw_bitmaps(image, left, baseline, run, fill)
        left += run.width


@lru_cache(maxsize=256)
def load_face(path: Path, size: int) -> Face:
    """Load a font in a size, in pixels.

    Raises:
        UserError: this Pillow draws no fonts, or the font cannot be read.
    """
    error: Exception | None = None
    for own_size in (size, *BITMAP_SIZES):
        try:
            return Face(ImageFont.truetype(path, own_size), size / own_size)
        except ImportError as missing:
            raise UserError(
                "this Pillow is built without FreeType, which labels need; install Pillow's own "
                "package: pip install --force-reinstall pillow"
            ) from missing
        except OSError as failed:  # a font of bitmaps has other sizes
            error = failed
    raise UserError(f"cannot use font {path} ({error}): remove it, or install it again") from error


def _draw_bitmaps(image: Image.Image, left: float, baseline: float, run: Run, fill: Colour) -> None:
    """Draw a run whose font has one size, reduced to the size that is wanted."""
    font, scale = run.face
    x1, y1, x2, y2 = font.getbbox(run.text, anchor="ls", direction=DIRECTION)
    if x2 <= x1 or y2 <= y1:
        return
    layer = Image.new("RGBA", (math.ceil(x2 - x1), math.ceil(y2 - y1)))
    ImageDraw.Draw(layer).text(
        (-x1, -y1), run.text, fill, font, "ls", direction=DIRECTION, embedded_color=True
    )
    size = max(1, round(layer.width * scale)), max(1, round(layer.height * scale))
    layer = layer.resize(size, Image.Resampling.LANCZOS)
    image.paste(layer, (round(left + x1 * scale), round(baseline + y1 * scale)), layer)


def _cut(parts: Sequence[str], size: int) -> Line:
    return lay_out("".join(parts) + "...", size)


def _measured(text: str, path: Path, size: int) -> Run:
    face = load_face(path, size)
    return Run(text, face, face.font.getlength(text, direction=DIRECTION) * face.scale)


def _runs(text: str) -> list[tuple[str, Path]]:
    """Divide a text into runs, each with the file of its font."""
    runs: list[tuple[str, Path]] = []
    for part, path in _with_fonts(text):
        before, font = runs[-1] if runs else ("", None)
        # words that are read from the right keep their order in one run only
        if font and part == " " and _is_from_the_right(before[-1]) and has(font, part):
            path = font
        if path == font:
            runs[-1] = (before + part, path)
        else:
            runs.append((part, path))
    return runs


def _is_from_the_right(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("R", "AL")


def _with_fonts(text: str) -> Iterator[tuple[str, Path]]:
    """Provide each cluster of a text with its font, or an escape in the place of a character."""
    missing: set[str] = set()
    for cluster in clusters(text):
        whole = find_font(frozenset(cluster) - UNDRAWN)
        for part in [cluster] if whole else cluster:
            path = find_font(frozenset(part) - UNDRAWN)
            if path is None:
                missing.add(part)
                yield f"[U+{ord(part):04X}]", font_files()[0]
            elif drawn := part if HAS_RAQM else "".join(c for c in part if c not in UNDRAWN):
                yield drawn, path
    _report(missing)


def _report(missing: set[str]) -> None:
    """Warn of characters that no font has, of each one once."""
    characters = sorted(missing - _reported)
    if not characters:
        return
    _reported.update(characters)
    LOGGER.warning(
        "no font on this machine has %s: drawn as code points; install one that has them, such as "
        "those of Google's Noto, in %s",
        ", ".join(f"{character} (U+{ord(character):04X})" for character in characters),
        font_folders()[0],
    )
