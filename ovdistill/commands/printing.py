"""Printing names of unknown origin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ovdistill.core.text import printable

if TYPE_CHECKING:
    from rich.text import Text


def print_lines(lines: Iterable[str]) -> None:
    """Print lines to standard output; a terminal shows whatever they hold as text."""
    print("\n".join(printable(line, keep="\t") for line in lines))


def cells(row: Iterable[str]) -> list[Text]:
    """Return the cells of a row of a rich table, which are text and not rich's markup."""
    from rich.text import Text

    return [Text(printable(cell)) for cell in row]
