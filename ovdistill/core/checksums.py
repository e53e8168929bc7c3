"""A checksum within a safetensors file, by which changed bits are found when it is read.

The file's metadata hold, under ``sha256``, the SHA-256 of the whole file in which these 64 digits
are zeros. A file without one, as of an earlier version or of another program, is not checked.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.files import BLOCK

KEY = "sha256"
UNSET = "0" * 64  # what a file states before ``seal``
LONGEST_HEADER = 100_000_000  # bytes, safetensors' own limit
DIGITS = re.compile(rb'"sha256": ?"(.{64})', re.DOTALL)


def seal(path: str | os.PathLike[str]) -> None:
    """Put the checksum into a file that was written with ``metadata[KEY] = UNSET``.

    Raises:
        ValueError: the file has no such entry.
    """
    place, digits = _find(Path(path))
    if digits != UNSET:
        raise ValueError(f"{os.fspath(path)} was not written with {KEY}={UNSET}")
    digest = _digest(Path(path), place)
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(digest.encode())


def verify_tensors(path: str | os.PathLike[str], fix: str = "") -> bool:
    """Compare a safetensors file with the checksum that it states.

    Args:
        path: the file.
        fix: what a user can do about a bad file, for the message.

    Returns:
        True if it is the same; False if the file states none.

    Raises:
        UserError: bits have changed, or the file cannot be read.
    """
    try:
        place, digits = _find(Path(path))
        same = not digits or _digest(Path(path), place) == digits
    except OSError as error:
        raise UserError(f"cannot read {os.fspath(path)} ({error.strerror}). {fix}") from None
    if not same:
        raise UserError(
            f"{os.fspath(path)} is damaged: its checksum differs, bits have changed. "
            + (fix or "Fetch or make it again.")
        )
    return bool(digits)


def _find(path: Path) -> tuple[int, str]:
    """Return where in a file its checksum stands, and its digits; (0, "") if it states none."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= LONGEST_HEADER else b""
    # a quotation mark within another text is \" there, so this is an entry of its own
    found = DIGITS.search(header)
    return (8 + found.start(1), found[1].decode("latin-1")) if found else (0, "")


def _digest(path: Path, place: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(place))
        digest.update(UNSET.encode())
        file.seek(place + len(UNSET))
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
