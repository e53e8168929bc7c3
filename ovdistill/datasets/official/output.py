"""Writes an annotation file a record at a time, and knows again what it was made from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ijson

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file, remove_temporary

MARK = "ovdistill"  # key of our entry in a file's info
END = "\n]}\n"
ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def counts_of(path: Path, origin: Mapping[str, Any], force: bool) -> dict[str, Any] | None:
    """The counts noted in a finished file, if it was made from this origin; None: write it.

    The origin holds the SHA-256 of the sources. Their times are not looked at: a file that was
    copied or fetched again is the same, and one that was changed within a second is not.

    Raises:
        UserError: another file has that name, and ``force`` is off.
    """
    if force or not path.exists():
        return None
    mark = _mark(path)
    if mark is None:
        raise UserError(
            f"{path} is there and was not made by this tool. Move it away, choose another folder "
            "with -o, or replace it with --force."
        )
    return mark["counts"] if mark.get("origin") == origin and _is_whole(path) else None


def write_annotations(
    path: Path,
    info: Mapping[str, Any],
    origin: Mapping[str, Any],
    counts: Mapping[str, Any],
    sections: Mapping[str, Iterable[dict]],
) -> None:
    """Writes a file to a temporary name, then renames: it is there complete, or not at all.

    What a killed run left under a temporary name is removed, so one run at a time may write a
    file.

    Args:
        path: the file; its folder is made where missing.
        info: entries of the file's ``info``.
        origin: what it is made from; with ``counts`` it becomes the entry "ovdistill" of ``info``.
        counts: what it holds.
        sections: records by key, in the order in which they are written. An iterator is taken
            when its turn comes.
    """
    if path.parent.is_dir():
        remove_temporary(path.parent, path.name)
    with atomic_file(path) as temporary:
        with temporary.open("w", encoding="ascii") as file:
            mark = {MARK: {"origin": origin, "counts": counts}}
            file.write('{"info":' + ENCODER.encode({**info, **mark}))
            before = ""
            for key, records in sections.items():
                file.write(f'{before},\n"{key}":[')
                separator = "\n"
                for record in records:
                    file.write(separator + ENCODER.encode(record))
                    separator = ",\n"
                before = "\n]"
            file.write(END)


def _mark(path: Path) -> dict[str, Any] | None:
    """Our entry in the file's info, which is the first thing in a file of ours."""
    try:
        with path.open("rb") as file:
            info = next(ijson.items(file, "info", use_float=True), None)
    except ijson.JSONError:
        return None
    return info.get(MARK) if isinstance(info, dict) else None


def _is_whole(path: Path) -> bool:
    """Whether the file ends as ours do; one that was copied in part does not."""
    with path.open("rb") as file:
        file.seek(-len(END), os.SEEK_END)
        return file.read() == END.encode()
