"""Writing files and folders so that they are complete or not there at all.

Everything is written under a temporary name beside its place and renamed at the end. An error, of
whatever kind, removes what was written so far and leaves an earlier file as it was.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError

TEMPORARY = ".tmp"  # the suffix of whatever is not finished
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY),
    *(errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
)
BLOCK = 1 << 20  # bytes read at a time


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to ``path`` when the block ends well.

    Args:
        path: the file; its folder is made if it is missing.

    Yields:
        The path to write to, in the same folder.

    Raises:
        UserError: the disk is full, or the place cannot be written to.
    """
    path = Path(path)
    with _clear_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        try:
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())  # on disk before it gets its name
            temporary.chmod(0o644)  # safetensors makes its files private
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder to fill; rename it to ``path`` when the block ends well.

    Args:
        path: the folder; one that is there already is replaced.

    Yields:
        The folder to fill, beside ``path``.

    Raises:
        UserError: the disk is full, or the place cannot be written to.
    """
    path = Path(path)
    with _clear_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            yield temporary
            shutil.rmtree(path, ignore_errors=True)
            os.replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file of bytes, complete or not at all; see ``atomic_file``."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write a text file in UTF-8, complete or not at all; see ``atomic_file``."""
    write_bytes(path, content.encode())


def write_json(path: str | os.PathLike[str], content: Any, indent: int | None = 1) -> None:
    """Write JSON, complete or not at all; see ``atomic_file``.

    Args:
        path: the file.
        content: plain values.
        indent: spaces a level; None writes one line without spaces.

    Raises:
        ValueError: a value is NaN or infinite, which JSON does not have.
    """
    separators = (",", ":") if indent is None else None
    end = "" if indent is None else "\n"
    text = json.dumps(content, indent=indent, separators=separators, allow_nan=False)
    write_text(path, text + end)


def hash_file(path: str | os.PathLike[str]) -> str:
    """Return the first 16 hex digits of a file's SHA-256."""
    return sha256_of(path)[:16]


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file in hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def remove_temporary(folder: Path, name: str = "*") -> None:
    """Delete what killed processes left under temporary names.

    Args:
        folder: where to look.
        name: a glob pattern of the final names.
    """
    for left in folder.glob(f"{name}.*{TEMPORARY}"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write into a ``UserError``."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise UserError(
                f"cannot write {path}: no space left on the disk. What was there before is "
                "unchanged: make space and run the same command again."
            ) from error
        if error.errno in REFUSED:
            raise UserError(
                f"cannot write {path} ({error.strerror}); expected a place that can be written to"
            ) from error
        raise
