"""Finds font files that have the characters of a text, whatever its script.

DejaVu Sans, which comes with matplotlib, has Latin, Greek, Cyrillic, Hebrew, Arabic and symbols.
For other characters the system's fonts are searched, once, when such a character is first drawn.
"""

from __future__ import annotations

import logging
import os
import struct
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

LOGGER = logging.getLogger(__name__)
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
MOST_FONTS = 400  # that are searched: reading the characters of one takes some milliseconds
# Files that begin so have many scripts, or the ones that few fonts have; they are tried first.
PREFERRED = (
    *("notosans-", "notosanscjk", "notosans", "dejavusans", "arial unicode", "pingfang"),
    *("hiragino", "stheiti", "msyh", "yugoth", "meiryo", "malgun", "nirmala", "leelawui"),
    *("segoeui", "seguiemj", "apple color emoji", "notocoloremoji", "droidsansfallback"),
    *("wqy", "unifont", "freesans"),
)
# Other styles of a family have the characters of its regular one.
STYLES = ("bold", "italic", "oblique", "light", "thin", "black", "medium", "condensed", "mono")
NO_TEXT = ("lastresort", "adobeblank", "adobenotdef")  # a box or nothing for every character
# what fontTools raises on damaged files beside its own error
DAMAGED = (OSError, ValueError, LookupError, AssertionError, struct.error)
OUTLINES_OR_BITMAPS = {"glyf", "CFF ", "CFF2", "CBDT", "sbix"}


@lru_cache(maxsize=1)
def font_files() -> tuple[Path, ...]:
    """Return the files to search, best first.

    Raises:
        UserError: there is none.
    """
    found = [*_shipped(), *sorted(_installed(), key=_rank)[:MOST_FONTS]]
    if not found:
        raise UserError(
            "labels need a font, and there is none: matplotlib has lost its own; run "
            "`pip install --force-reinstall matplotlib`"
        )
    return tuple(found)


@lru_cache(maxsize=4096)
def find_font(characters: frozenset[str]) -> Path | None:
    """Return the first font that has all these characters, or None."""
    if all(map(str.isascii, characters)):  # every font has them: no file must be read
        return font_files()[0]
    wanted = {ord(character) for character in characters}
    return next((path for path in font_files() if wanted <= _characters(path)), None)


def has(path: Path, characters: str) -> bool:
    """Return True if a font has all these characters."""
    return _characters(path).issuperset(map(ord, characters))


def font_folders() -> list[Path]:
    """Return the folders in which this platform keeps fonts; the user's own is the first."""
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        windows = Path(os.environ.get("WINDIR", "C:/Windows"))
        return [local / "Microsoft/Windows/Fonts", windows / "Fonts"]
    own = os.environ.get("XDG_DATA_HOME") or home / ".local/share"
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [Path(own, "fonts"), home / ".fonts", *(Path(d, "fonts") for d in shared.split(":"))]


def _shipped() -> Iterator[Path]:
    """Provide DejaVu Sans of matplotlib, which need not be imported for it: that takes a second."""
    spec = find_spec("matplotlib")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "mpl-data/fonts/ttf/DejaVuSans.ttf")
        if path.is_file():
            yield path


def _installed() -> Iterator[Path]:
    """Provide the fonts of the system, in regular style."""
    for folder in font_folders():
        for parent, _, names in os.walk(folder):
            for name in names:
                stem, suffix = os.path.splitext(name.lower())
                if suffix in SUFFIXES and not any(part in stem for part in (*STYLES, *NO_TEXT)):
                    yield Path(parent, name)


def _rank(path: Path) -> tuple[int, str]:
    name = path.name.lower()
    places = (place for place, start in enumerate(PREFERRED) if name.startswith(start))
    return next(places, len(PREFERRED)), str(path)


@lru_cache(maxsize=MOST_FONTS + 1)
def _characters(path: Path) -> frozenset[int]:
    """Return the code points that a font draws; none for a font that cannot be read or drawn."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            if not OUTLINES_OR_BITMAPS & set(font.keys()) or _has_colour_gradients(font):
                return frozenset()
            return frozenset(font.getBestCmap() or ())
    except (*DAMAGED, TTLibError) as error:
        LOGGER.debug("cannot read font %s: %s", path, error)
        return frozenset()


def _has_colour_gradients(font: TTFont) -> bool:
    """Return True for glyphs of the kind COLR version 1, which Pillow draws as nothing."""
    return "COLR" in font and "CBDT" not in font and font.getTableData("COLR")[:2] != b"\0\0"
