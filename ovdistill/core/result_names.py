"""Names for the results of images: one for each, and none outside of the output folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import PurePath

from ovdistill.core.text import printable

LONGEST = 180  # bytes of a part; file systems take 255, and suffixes follow
# what has a meaning in a path or is no character: separators, drives, escapes of ``printable``
UNSAFE = re.compile(r'[/\\:*?"<>|]')


class ResultNames:
    """Gives each image a name for its results that no other image has.

    It is the image's own name without its suffix. Where another image has that name already, the
    suffix or a number follows. Names differ in more than upper and lower case.

    Args:
        reserved: names that no image gets, those of files about all images.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._given = {name.casefold(): "" for name in reserved}  # folded name -> image
        self._names: dict[str, str] = {}  # image -> name
        # (folders, name without suffix) -> the numbers that were not tried yet
        self._numbers: dict[tuple[tuple[str, ...], str], Iterator[int]] = {}

    def name(self, image: str | os.PathLike[str], below: str | os.PathLike[str] = "") -> str:
        """Return the name for an image's results, a relative path without a suffix.

        Args:
            image: path of the image.
            below: folder of the images. The sub-folders below it are part of the name; those of an
                image outside of it are not.
        """
        path = os.fspath(image)
        if path not in self._names:
            self._names[path] = self._new(path, os.fspath(below))
        return self._names[path]

    def _new(self, path: str, below: str) -> str:
        folders = _folders_below(path, below)
        own = PurePath(path)
        # kept, since each folder may have an image of this name: no number is tried twice
        numbers = self._numbers.setdefault((folders, own.stem), count(4))
        numbered = (f"{own.stem}_{number}" for number in numbers)
        candidates = chain((own.stem, f"{own.stem}_{own.suffix[1:]}"), numbered)
        while True:
            name = "/".join(map(safe_name, (*folders, next(candidates))))
            if self._given.setdefault(name.casefold(), path) == path:
                return name


def _folders_below(path: str, below: str) -> tuple[str, ...]:
    """Return the folders from ``below`` to an image; none for an image outside of it."""
    if not below:
        return ()
    parts = PurePath(os.path.relpath(path, below)).parts[:-1]
    return () if os.pardir in parts or PurePath(*parts).is_absolute() else parts


def safe_name(part: str) -> str:
    """Return the name of a file or folder that any file system takes, close to a given one."""
    name = UNSAFE.sub("_", printable(part))
    if name.strip(".") == "":
        name = name.replace(".", "_") or "_"
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return name.encode()[: LONGEST - 9].decode(errors="ignore") + f"_{digest}"
