"""Writes an annotation file a record at a time, with a note of what it was made from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ijson

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file, remove_temporary
from ovdistill.datasets.annotations.values import Record

NOTE_KEY = "ovdistill"  # of our entry in a file's info
END = "\n]}\n"  # the last characters of a complete file
ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def noted_counts(path: Path, origin: Mapping[str, Any], *, force: bool) -> dict[str, Any] | None:
    """Return the counts noted in a complete file that was made from this origin.

    The origin holds the SHA-256 of the sources. Their modification times are not compared: a file
    that was copied or downloaded again is the same, and one that was changed within a second is
    not.

    Args:
        path: the file, which may not exist.
        origin: what it should be made from.
        force: do not look at the file that is there.

    Returns:
        The counts; None if the file must be written.

    Raises:
        UserError: a file of that name is there that this tool did not write, and no ``force``.
    """
    if force or not path.exists():
        return None
    note = _note(path)
    if note is None:
        raise UserError(
            f"{path} is there and was not made by this tool. Move it away, choose another folder "
            "with -o, or replace it with --force."
        )
    return note["counts"] if note.get("origin") == origin and _is_complete(path) else None


def write_annotations(
    path: Path,
    info: Mapping[str, Any],
    origin: Mapping[str, Any],
    counts: Mapping[str, Any],
    sections: Mapping[str, Iterable[Record]],
) -> None:
    """Write an annotation file, complete or not at all; see ``core.files.atomic_file``.

    Temporary files that a killed run has left are removed, so only one run at a time may write the
    same file.

    Args:
        path: the file; its folder is made if it is missing.
        info: entries of the file's ``info``.
        origin: what it is made from; noted in ``info`` under the key "ovdistill".
        counts: what it holds; noted beside ``origin``.
        sections: records by key, in the order in which they are written. An iterator is read only
            when its section is written.
    """
    if path.parent.is_dir():
        remove_temporary(path.parent, path.name)
    with atomic_file(path) as temporary:
        with temporary.open("w", encoding="ascii") as file:
            note = {NOTE_KEY: {"origin": origin, "counts": counts}}
            file.write('{"info":' + ENCODER.encode({**info, **note}))
            before = ""
            for key, records in sections.items():
                file.write(f'{before},\n"{key}":[')
                separator = "\n"
                for record in records:
                    file.write(separator + ENCODER.encode(record))
                    separator = ",\n"
                before = "\n]"
            file.write(END)


def _note(path: Path) -> dict[str, Any] | None:
    """Return our entry in a file's info; None for a file that this tool did not write."""
    try:
        with path.open("rb") as file:
            info = next(ijson.items(file, "info", use_float=True), None)
    except ijson.JSONError:
        return None
    note = info.get(NOTE_KEY) if isinstance(info, dict) else None
    return note if isinstance(note, dict) and isinstance(note.get("counts"), dict) else None


def _is_complete(path: Path) -> bool:
    """Return whether a file ends as ours do, which one that was copied in part does not."""
    with path.open("rb") as file:
        file.seek(-len(END), os.SEEK_END)
        return file.read() == END.encode()
