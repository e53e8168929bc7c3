"""Find the image files in a folder and the folders below it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
SHOWN = 3  # suffixes of other files that a message names


@dataclass
class FolderContent:
    """What a folder holds. Names that begin with a dot are hidden, and left out.

    Attributes:
        images: files that end in one of ``SUFFIXES``, in natural order: image 2 before image 10.
        others: the other files, in the same order.
        unreadable: folders below it that could not be listed.
    """

    images: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        """Return what is there beside images, a phrase for an error message."""
        if not self.others:
            return "no other files"
        suffixes = Counter(path.suffix.lower() or "no suffix" for path in self.others)
        kinds = [f"{count} of {suffix}" for suffix, count in suffixes.most_common(SHOWN)]
        return f"{len(self.others)} other files, {', '.join(kinds)}"


def list_folder(folder: Path, depth: int | None = None) -> FolderContent:
    """Find the files of a folder.

    Links to folders are followed; a folder that several links lead to, or a link to a folder above,
    is listed once.

    Args:
        folder: the folder.
        depth: levels of folders to look into: 1 is the folder alone; None is all below it.

    Raises:
        OSError: the folder itself cannot be listed.
    """
    content = FolderContent()
    seen: set[tuple[int, int]] = set()
    waiting = [(folder, 1)]
    while waiting:
        current, level = waiting.pop()
        try:
            if _is_new(current, seen):
                below = list(_list_one(current, content))
                waiting += [(path, level + 1) for path in below if depth is None or level < depth]
        except OSError:
            if current == folder:
                raise
            content.unreadable.append(current)
    for paths in (content.images, content.others, content.unreadable):
        paths.sort(key=natural_key)
    return content


def natural_key(path: Path) -> tuple[list[tuple[str | int, ...]], str]:
    """Return a key that sorts paths as people do: by folder, without case, numbers by value."""
    return [_split(name) for name in path.parts], str(path)


@lru_cache(maxsize=10_000)  # the names of folders repeat
def _split(name: str) -> tuple[str | int, ...]:
    """Split a name into text, number, text, ...: the same kind at the same place of every name."""
    parts = re.split("([0-9]+)", name.casefold())
    return tuple(int(part) if i % 2 else part for i, part in enumerate(parts))


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Return True the first time that a folder is asked for, by whatever path."""
    status = folder.stat()
    key = (status.st_dev, status.st_ino)
    new = key not in seen
    seen.add(key)
    return new


def _list_one(folder: Path, content: FolderContent) -> Iterator[Path]:
    """Add the files of one folder to ``content``, and yield the folders in it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                yield path
            elif path.suffix.lower() in SUFFIXES:
                content.images.append(path)
            else:
                content.others.append(path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
