"""Turn the ids of files into whole numbers that every part of the program can hold.

Evaluators keep ids as float64 and tensors as int64, so ids are whole numbers from 0 to 2^53 - 1.
Text of digits ("12", also "12.0") is its number; other text ("12e4"), negative and larger numbers
become a number of their own in [2^52, 2^53), the same in every file and in every run.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.values import shown, to_whole_number

MAX_ID = 1 << 53  # float64 holds every whole number below it
HASHED = 1 << 52  # ids from here on are made from text, far from those that tools count up
DIGITS = re.compile(r"\d+(\.0*)?")


def image_number(value: Any) -> int:
    """Return the number of an image's or category's id; one function for all files.

    Args:
        value: the id as a file has it, a number or text.

    Raises:
        UserError: it is neither: null, true, a list, NaN, or empty text.
    """
    if type(value) is int and 0 <= value < MAX_ID:
        return value
    # "0e1" and "0e2" are ids in hexadecimal, not twice the number 0
    written = not isinstance(value, str) or DIGITS.fullmatch(value.strip())
    number = to_whole_number(value) if written else None
    if number is not None and 0 <= number < MAX_ID:
        return number
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or value == "":
        raise UserError(f"got id {shown(value)}; expected a whole number or text")
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"got id {value}; expected a whole number or text")
    text = f"{value}".strip().encode("utf-8", "surrogatepass")
    return HASHED | int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 12
