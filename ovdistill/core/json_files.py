"""Read JSON: whatever the bytes are, the answer is a value or a ``UserError``."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ovdistill.core.errors import UserError

EXCERPT = 200  # characters of a decoder's message to show


def read_json(
    path: str | os.PathLike[str], what: str, *, hint: str = "", allow_nan: bool = False
) -> Any:
    """Read a JSON file in UTF-8, or in UTF-16 or UTF-32, with or without a byte order mark.

    Args:
        path: the file.
        what: what kind of file it is, for messages: "annotation file".
        hint: a sentence that says what to do where the file is missing.
        allow_nan: take NaN, Infinity and -Infinity, which JSON does not have, as floats.

    Raises:
        UserError: no such file, a folder, a file that cannot be read, or see ``loads``.
    """
    path = Path(path)
    if not path.is_file():
        kind = f"{path} is no file, but the {what} should be one" if path.exists() else None
        raise UserError(" ".join(filter(None, [f"{kind or f'no {what} {path}'}.", hint])))
    try:
        content = path.read_bytes()
    except (OSError, MemoryError) as error:
        raise UserError(f"cannot read the {what} {path} ({_reason(error)}).") from None
    return loads(content, f"the {what} {path}", allow_nan=allow_nan)


def loads(content: str | bytes, what: str, *, allow_nan: bool = False) -> Any:
    """Return the value of a JSON text.

    Args:
        content: the text; bytes are UTF-8, UTF-16 or UTF-32, with or without a byte order mark.
        what: what holds the text, for messages: "the header of a.safetensors".
        allow_nan: as ``read_json``.

    Raises:
        UserError: not JSON, nested too deeply, a number of more than 4,300 digits, or not UTF-8.
    """
    try:
        if isinstance(content, bytes):
            encoding = json.detect_encoding(content)
            content = content.decode(encoding)  # strict: json's own decoding lets surrogates pass
        with _without_collector():
            return json.loads(content, parse_constant=None if allow_nan else _refuse)
    except RecursionError:
        reason = "it is nested too deeply"
    except (ValueError, MemoryError) as error:
        reason = _reason(error)
    raise UserError(
        f"{what} is not JSON that can be read ({reason}); expected an undamaged one. Fetch or "
        "write it again."
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """Switch off the search for cycles, which JSON has not; large files take a third less time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _reason(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error.reason} at byte {error.start}"
    return (str(error) or type(error).__name__)[:EXCERPT]
