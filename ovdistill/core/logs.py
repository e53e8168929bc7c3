"""What is shown of a command at work: messages of a level, and progress where it helps."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

QUIET = "OVDISTILL_QUIET"  # set in the processes that a quiet command starts too
SECONDS_PER_LINE = 30.0  # between two lines of progress in a file


def set_up_logs(level: str, quiet: bool) -> None:  # noqa: FBT001 - the two go together
    """Show messages of a level and above on standard error; of other libraries, warnings.

    Args:
        level: 'DEBUG', 'INFO', 'WARNING' or 'ERROR'.
        quiet: show no progress either.
    """
    others = level if level in ("DEBUG", "ERROR") else "WARNING"
    logging.basicConfig(level=others, format="%(levelname)s: %(message)s", stream=sys.stderr)
    logging.getLogger("ovdistill").setLevel(level)
    if quiet:
        os.environ[QUIET] = "1"


def progress(
    items: Iterable[Any] | None = None, *, title: str, unit: str, **options: Any
) -> tqdm[Any]:
    """Make a progress bar on a terminal; in a file, a line now and then; nothing when quiet.

    Args:
        items: what is counted, or None for a bar that is moved with ``update``.
        title: what is done.
        unit: what is counted.
        options: further arguments of ``tqdm``, such as ``total``.
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
        bar_format="{desc}: {n_fmt} of {total_fmt} {unit}, {elapsed} passed, {remaining} left",
        file=_Lines(sys.stderr),
    )
    return tqdm(items, desc=title, unit=unit, **options | lines)


class _Lines:
    """Writes every state of a bar as a line of its own."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if line:
            self._file.write(line + "\n")

    def flush(self) -> None:
        self._file.flush()
