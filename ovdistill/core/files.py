"""Write files and folders that are complete or do not exist at all.

Content is written under a temporary name in the same folder and renamed at the end. On any error
the temporary file or folder is removed, and what the path held before stays as it was.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError

TEMPORARY = ".tmp"  # suffix of what is being written
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_WRITABLE = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY),
    *(errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT, errno.EINVAL, errno.EIO),
    *(errno.ENXIO, errno.EOPNOTSUPP, errno.EBUSY, errno.ESTALE),
)
_FULL = (
    "cannot write {}: no space left on the disk. What was there before is unchanged: make space "
    "and run the same command again."
)
_NOT_WRITABLE = "cannot write {} ({}); expected a path that can be written to"
BLOCK = 1 << 20  # bytes to read at once
BLOCK_OF_DISK = 4096  # bytes that take space on any disk


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Provide a temporary path to write to, and rename it to ``path`` if the block raises nothing.

    Args:
        path: the file; its folder is created if it is missing.

    Yields:
        The temporary path, in the same folder.

    Raises:
        UserError: the disk is full, or ``path`` cannot be written to.
    """
    path = Path(path)
    with clear_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        try:
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())  # else a crash could leave the name without the content
            temporary.chmod(0o644)  # safetensors makes its files unreadable for other users
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Provide a temporary folder to fill, and rename it to ``path`` if the block raises nothing.

    Args:
        path: the folder; one that exists is replaced as a whole.

    Yields:
        The temporary folder, beside ``path``.

    Raises:
        UserError: the disk is full, or ``path`` cannot be written to.
    """
    path = Path(path)
    with clear_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        temporary.mkdir()
        try:
            yield temporary
            _replace_folder(path, temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def atomic_link(path: str | os.PathLike[str], target: str) -> None:
    """Make a symbolic link, or replace one, so that the path is never without one.

    Args:
        path: the link.
        target: what it names, as seen from its folder.

    Raises:
        UserError: ``path`` cannot be written to.
    """
    path = Path(path)
    with clear_errors(path):
        temporary = _temporary(path)
        try:
            temporary.symlink_to(target)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes to a file, complete or not at all; see ``atomic_file``."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write text to a file in UTF-8, complete or not at all; see ``atomic_file``."""
    write_bytes(path, content.encode())


def write_json(path: str | os.PathLike[str], content: Any, indent: int | None = 1) -> None:
    """Write a JSON file, complete or not at all; see ``atomic_file``.

    Args:
        path: the file.
        content: values that JSON has.
        indent: spaces per level; None writes a single line without spaces.

    Raises:
        ValueError: a value is NaN or infinite, which JSON does not have.
    """
    separators = (",", ":") if indent is None else None
    end = "" if indent is None else "\n"
    text = json.dumps(content, indent=indent, separators=separators, allow_nan=False)
    write_text(path, text + end)


def check_output_folder(path: str | os.PathLike[str]) -> None:
    """Raise UserError unless files can be written into a folder, which need not exist.

    A few bytes are written into the folder, or into the last one on the way to it that is there,
    and deleted.
    """
    _probe(Path(path), Path(path))


def check_output_file(path: str | os.PathLike[str]) -> None:
    """Raise UserError unless a file can be written at a path; see ``check_output_folder``."""
    if os.path.isdir(path):
        raise UserError(_NOT_WRITABLE.format(path, os.strerror(errno.EISDIR)))
    _probe(Path(path), Path(path).parent)


def _probe(path: Path, folder: Path) -> None:
    """Raise UserError, which names ``path``, unless a folder on the way to it can be written to."""
    try:
        _is_there(path)  # a name that is too long is an error here
        there = next(parent for parent in (folder, *folder.absolute().parents) if _is_there(parent))
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(bytes(BLOCK_OF_DISK))
    except OSError as error:
        if error.errno in FULL_DISK:
            raise UserError(_FULL.format(path)) from error
        raise UserError(_NOT_WRITABLE.format(path, error.strerror)) from error


def hash_file(path: str | os.PathLike[str]) -> str:
    """Return the first 16 hex digits of a file's SHA-256."""
    return sha256_of(path)[:16]


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def remove_temporary(folder: Path, name: str) -> None:
    """Delete the temporary files that killed processes have left.

    Args:
        folder: the folder to clean, without those below it.
        name: glob pattern of the final names, which no other process may be writing.
    """
    for left in folder.glob(f"{name}.*{TEMPORARY}"):
        left.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    # no process id: processes in two containers that share a disk may have the same
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}{TEMPORARY}")


def _replace_folder(path: Path, new: Path) -> None:
    """Rename ``new`` to ``path``; a folder that is there moves aside and is deleted at the end."""
    if path.is_symlink() or not path.is_dir():
        os.replace(new, path)
        return
    former = _temporary(path.with_name(f"{path.name}.former"))
    os.replace(path, former)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(former, path)
        raise
    shutil.rmtree(former, ignore_errors=True)


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn errors of writing to ``path`` into ``UserError``; let others, as of reading, pass."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise UserError(_FULL.format(path)) from error
        if error.errno in NOT_WRITABLE and _concerns(error, path):
            raise UserError(_NOT_WRITABLE.format(path, error.strerror)) from error
        raise


def _is_there(path: Path) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _concerns(error: OSError, path: Path) -> bool:
    """Return True if an error names ``path``, its temporary name, or a folder above them."""
    if error.filename is None:
        return True
    named = Path(os.fsdecode(error.filename))
    if named in path.parents:
        return True
    return named.parent == path.parent and named.name.startswith(path.name)
