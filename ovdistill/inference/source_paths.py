"""Finds the images, and perhaps the videos, that a path or a pattern names."""

from __future__ import annotations

import glob
import os
import re
import stat
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.image_folders import SUFFIXES, FolderContent, list_folder, natural_key
from ovdistill.core.text import printable
from ovdistill.inference.video.files import is_video

SHOWN = 3  # folders that cannot be listed, in a message
ANY_DEPTH = "**"  # the part of a pattern that stands for any number of folders


@dataclass(frozen=True)
class FoundPaths:
    """The images that a path names.

    Attributes:
        images: the files, in natural order.
        single: the path is that of a file, so nothing was searched.
        videos: files that are videos, if they were asked for.
        others: files that are neither.
        unreadable: folders that could not be listed.
    """

    images: list[Path]
    single: bool = False
    videos: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def find_paths(path: str | os.PathLike[str], *, videos: bool = False) -> FoundPaths:
    """Find the images, and perhaps the videos, that a path or a pattern names.

    Args:
        path: an image, of whatever suffix; a folder, which is searched with all folders below it;
            or a pattern such as "photos/**/*.jpg", in which ``**`` stands for any number of
            folders. A file whose name holds the signs of a pattern is that file. ``~`` is the home
            folder.
        videos: look for videos too, see ``is_video``. Else they are like other files.

    Raises:
        UserError: no such file, nothing in the folder, nothing that fits the pattern, a folder that
            cannot be listed, or an address of the web.
    """
    text = os.path.expanduser(os.fspath(path))
    try:
        kind = os.stat(text).st_mode
    except FileNotFoundError:
        if glob.has_magic(text):
            return _match(text, videos=videos)
        raise UserError(_missing(text)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"no image or folder at {printable(text)} ({reason})") from error
    if not stat.S_ISDIR(kind):
        if videos and is_video(Path(text)):
            return FoundPaths([], single=True, videos=[Path(text)])
        return FoundPaths([Path(text)], single=True)
    content = _list(Path(text))
    films, others = _split(content.others) if videos else ([], content.others)
    if not (content.images or films):
        where = f"{printable(text)} and the folders below it"
        raise UserError(f"no images in {where} ({_summary(content)}): {_expected()}")
    return FoundPaths(content.images, videos=films, others=others, unreadable=content.unreadable)


def _split(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return those of some files that are videos, and the others."""
    films: list[Path] = []
    others: list[Path] = []
    for path in paths:
        (films if is_video(path) else others).append(path)
    return films, others


def _match(pattern: str, *, videos: bool) -> FoundPaths:
    """Find the images, and perhaps the videos, that fit a pattern.

    All files of a suffix that the pattern spells out are images, as those of "*.gif".
    """
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    folder, wanted = Path(*parts[:first]), parts[first:]
    if not folder.is_dir():
        raise UserError(_missing(str(folder)))
    content = _list(folder, None if ANY_DEPTH in wanted else len(wanted))

    def fits(path: Path) -> bool:
        return _fits(path.relative_to(folder).parts, wanted)

    images = list(filter(fits, content.images))
    others = list(filter(fits, content.others))
    films, others = _split(others) if videos else ([], others)
    suffix = Path(wanted[-1]).suffix
    if others and suffix and not glob.has_magic(suffix):
        images, others = sorted(images + others, key=natural_key), []
    if not (images or films):
        count = len(content.images) + len(content.others)
        raise UserError(
            f"no image fits {printable(pattern)}: looked at {count} files in {printable(folder)} "
            f"({len(content.images)} images, {_summary(content)}); {_expected()}"
        )
    return FoundPaths(images, videos=films, others=others, unreadable=content.unreadable)


def _fits(names: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Return True if the names of folders and of a file fit the parts of a pattern."""
    if not wanted:
        return not names
    if wanted[0] == ANY_DEPTH:
        return any(_fits(names[i:], wanted[1:]) for i in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], wanted[0]) and _fits(names[1:], wanted[1:])


def _list(folder: Path, depth: int | None = None) -> FolderContent:
    try:
        return list_folder(folder, depth)
    except OSError as error:
        raise UserError(f"cannot list the folder {printable(folder)} ({error.strerror})") from error


def _summary(content: FolderContent) -> str:
    """Return what is there beside images, and which folders cannot be listed."""
    unlisted = "".join(
        f", {printable(path)} cannot be listed" for path in content.unreadable[:SHOWN]
    )
    return f"{content}{unlisted}"


def _expected() -> str:
    return f"expected files that end in {', '.join(SUFFIXES)}"


def _missing(text: str) -> str:
    """Return a message about a path that is not there, with names near to it that are."""
    if re.match(r"[a-z]+://", text, re.IGNORECASE):
        return f"got the address {printable(text)}; expected a file: fetch it first, or give bytes"
    if not text:
        return "got an empty path; expected an image, a folder or a pattern (*.jpg)"
    path = Path(text).absolute()
    there = next(folder for folder in path.parents if folder.is_dir())
    missing = path.relative_to(there).parts[0]
    near = ", ".join(printable(name) for name in _near(missing, there))
    advice = f"is it {near}?" if near else "expected an image, a folder or a pattern (*.jpg)"
    return (
        f"no image or folder at {printable(text)}: {printable(there)} has no "
        f"{printable(missing)}; {advice}"
    )


def _near(missing: str, folder: Path) -> list[str]:
    """Return up to three names in a folder that are spelled almost as a missing one."""
    try:
        names = {name.casefold(): name for name in os.listdir(folder)}
    except OSError:
        return []
    return [names[near] for near in get_close_matches(missing.casefold(), names)]
