"""Read the JSON files of earlier results: objects of numbers, whatever their bytes are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import loads, read_json

LARGEST = 1e15  # a value beyond it is no measurement, and its square may be infinite
MOST_LEVELS = 40
FIX = "It is written by `ovdistill test CONFIG CHECKPOINT -o FOLDER`; test again."


def read_metrics(path: Path) -> dict[str, float]:
    """Read a ``metrics.json``.

    Raises:
        UserError: no such file, or anything but numbers under names.
    """
    found = read_object(path, "metrics.json")
    return {key: number(value, path, key) for key, value in found.items()}


def is_number(value: Any) -> bool:
    """Return True for a finite number of a size that a measured value can have."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def number(value: Any, path: Path, key: str = "a value") -> Any:
    """Return a value that is a number.

    Args:
        value: the value.
        path: the file, for the message.
        key: what it is, for the message.

    Raises:
        UserError: it is not a number.
    """
    if not is_number(value):
        raise UserError(f"{path} has {value!r:.60} as {key:.60}; expected a number. {FIX}")
    return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file with one JSON object a line.

    Raises:
        UserError: no such file, or other lines.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} ({error}).") from None
    found = [loads(line, f"a line of {path}") for line in lines if line.strip()]
    if not all(isinstance(record, dict) for record in found):
        raise UserError(f"{path} has a line that is no object.")
    return found


def read_object(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Args:
        path: the file.
        what: what kind of file it is, for messages.

    Raises:
        UserError: no such file, or another content.
    """
    found = read_json(path, what, hint=FIX)
    if not isinstance(found, dict):
        raise UserError(f"{path} holds {type(found).__name__}; expected an object. {FIX}")
    return found


def read_origin(folder: Path) -> dict[str, Any]:
    """Read the ``provenance.json`` of a run, which a report writes again.

    Raises:
        UserError: no such file, or another content; a number that is too large for a float, or
            values that are nested too deeply.
    """
    path = folder / "provenance.json"
    found = read_object(path, path.name)
    if _is_deep(found, MOST_LEVELS):
        raise UserError(f"{path} is nested too deeply. {FIX}")
    try:
        json.dumps(found, allow_nan=False)
    except ValueError:
        raise UserError(f"{path} has a number that is too large for a float. {FIX}") from None
    return found


def _is_deep(value: Any, levels: int) -> bool:
    """Return True for objects and lists within one another on more than so many levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deep(one, levels - 1) for one in inner)
