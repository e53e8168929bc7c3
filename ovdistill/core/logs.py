"""Set up the messages of a running command, and show its progress where somebody sees it."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

from ovdistill.core.text import printable

if TYPE_CHECKING:
    from tqdm import tqdm

QUIET = "OVDISTILL_QUIET"  # environment variable, so that processes inherit it
SECONDS_TO_FIRST_LINE = 1.0  # what takes less says nothing where there is no terminal
SECONDS_PER_LINE = 30.0  # time between two lines of progress where there is no terminal


def set_up_logs(level: str, *, quiet: bool) -> None:
    """Show log messages of a level and above on standard error, from other libraries warnings only.

    Args:
        level: 'DEBUG' (then from other libraries too), 'INFO', 'WARNING' or 'ERROR'.
        quiet: hide progress, in processes that this one starts too.
    """
    others = level if level in ("DEBUG", "ERROR") else "WARNING"
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(levelname)s: %(message)s"))
    logging.basicConfig(level=others, handlers=[handler])
    logging.getLogger("ovdistill").setLevel(level)
    if quiet:
        os.environ[QUIET] = "1"


def show_any_character() -> None:
    """Print characters that standard output cannot encode as escapes, in place of an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def progress(
    items: Iterable[Any] | None = None, *, title: str, unit: str, **options: Any
) -> tqdm[Any]:
    """Return a ``tqdm`` over items: a bar on a terminal, else a line every ``SECONDS_PER_LINE``.

    After ``set_up_logs(..., quiet=True)`` it prints nothing.

    Args:
        items: what to iterate over, or None for a bar that ``update`` advances.
        title: what is being done.
        unit: name of an item.
        options: further arguments of ``tqdm``, such as ``total``; ``disable=True`` prints nothing.
    """
    from tqdm import tqdm

    if os.environ.get(QUIET) or options.get("disable"):
        return tqdm(items, **options | dict(disable=True))
    if sys.stderr.isatty():
        return tqdm(items, desc=title, unit=unit, **options)
    lines = dict(
        mininterval=SECONDS_PER_LINE,
        maxinterval=SECONDS_PER_LINE,
        miniters=1,
        delay=SECONDS_TO_FIRST_LINE,
        bar_format="{desc}: {n_fmt} of {total_fmt} {unit}, {elapsed} passed, {remaining} left",
        file=_Lines(sys.stderr),
    )
    return tqdm(items, desc=title, unit=unit, **options | lines)


class _Printable(logging.Formatter):
    """Formatter whose messages are text, whatever the names and paths in them hold."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), keep="\n\t")


class _Lines:
    """Text stream that makes a line of each state of a bar, in place of carriage returns."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line:
            self._file.write(line + "\n")

    def flush(self) -> None:
        self._file.flush()
