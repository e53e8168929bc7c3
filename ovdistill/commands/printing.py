"""Printing names of unknown origin, to a reader that may stop early, such as `head`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ovdistill.core.text import printable

if TYPE_CHECKING:
    from rich.text import Text


def print_lines(lines: Iterable[str]) -> None:
    """Print lines to standard output; it is no error if the reader of a pipe stops early.

    Whatever the lines hold, a terminal shows it as text; tabs stay.
    """
    try:
        print("\n".join(printable(line, keep="\t") for line in lines), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit


def cells(row: Iterable[str]) -> list[Text]:
    """Return the cells of a row of a rich table, which are text and not rich's markup."""
    from rich.text import Text

    return [Text(printable(cell)) for cell in row]
