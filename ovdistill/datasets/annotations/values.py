"""Read single values of records, as annotation tools of every kind write them."""

from __future__ import annotations

import math
from typing import Any

from ovdistill.core.text import printable

Record = dict[str, Any]
NUMBERS = (int, float)


def to_number(value: Any) -> int | float | None:
    """Return a finite number, also of text such as "12.5"; None for everything else.

    Args:
        value: a value of a JSON file; True and False are no numbers.
    """
    if type(value) in NUMBERS:
        return value if -math.inf < value < math.inf else None
    return _from_text(value) if isinstance(value, str) else None


def to_whole_number(value: Any) -> int | None:
    """Return a whole number, also of 3.0, "3" and "3.0"; None for everything else."""
    number = to_number(value)
    return int(number) if number is not None and number == number // 1 else None


def is_text(value: Any) -> bool:
    """Return True for text that can be written in UTF-8 (JSON allows halves of characters)."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def shown(value: Any) -> str:
    """Return a value in one short line for messages, safe for a terminal."""
    text = printable(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _from_text(text: str) -> int | float | None:
    if "_" in text or len(text) > 30:  # python's own spelling of numbers; no measure is that long
        return None
    try:
        number = float(text)
        whole = int(text) if text.strip().isdecimal() else None
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return number if whole is None else whole
