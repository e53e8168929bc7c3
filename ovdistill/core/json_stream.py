"""Read a JSON file of any size a value at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
from tqdm.utils import CallbackIOWrapper

from ovdistill.core.logs import progress

CHUNK = 1 << 20  # bytes read at a time


class JsonStreamError(ValueError):
    """The file is not JSON, or it is incomplete; the message says where."""


def stream_json(path: Path, prefix: str, title: str) -> Iterator[Any]:
    """Read the values at an ijson prefix, with a progress bar on a terminal.

    Args:
        path: the file.
        prefix: "info" gives one value, "images.item" every record of a list, "item" every record of
            a file that is a list.
        title: of the progress bar.

    Yields:
        The values; none if the file has nothing there. Numbers are int and float.

    Raises:
        JsonStreamError: not JSON (which has no NaN), or an incomplete file.
        OSError: the file cannot be read.
    """
    if ijson.backend != "yajl2_c":
        warnings.warn(
            f"ijson's backend is {ijson.backend!r}, many times slower than 'yajl2_c', which its "
            "wheels hold: pip install --force-reinstall --only-binary ijson ijson",
            stacklevel=2,
        )
    size = path.stat().st_size
    # delayed: a file that is read in a second needs no bar
    bar = progress(title=title, unit="B", total=size, unit_scale=True, leave=False, delay=1)
    with path.open("rb") as file, bar:
        counted = CallbackIOWrapper(bar.update, file, "read")
        try:
            yield from ijson.items(counted, prefix, use_float=True, buf_size=CHUNK)
        except ijson.JSONError as error:
            raise JsonStreamError(_reason(error)) from None


def first_event(path: Path) -> str:
    """Return what a JSON file begins with: 'start_array', 'start_map', 'number', ...

    Raises:
        JsonStreamError: not JSON, or an empty file.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            return next(ijson.basic_parse(file, use_float=True))[0]
        except ijson.JSONError as error:
            raise JsonStreamError(_reason(error)) from None


def _reason(error: Exception) -> str:
    """Return the first line of an error of ijson."""
    # the C backend gives bytes where the text is no UTF-8; the rest is an excerpt
    reason = error.args[0]
    reason = reason if isinstance(reason, str) else reason.decode(errors="replace")
    return reason.splitlines()[0]
