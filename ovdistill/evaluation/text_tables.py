"""Tables of text: on the terminal in their full width, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ovdistill.core.markdown import markdown_table
from ovdistill.core.text import printable


@dataclass(frozen=True)
class TextTable:
    """A table whose first column names its rows.

    Attributes:
        title: what it shows.
        header: names of the columns.
        rows: cells, as many as columns.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Return the table in Markdown, under its title."""
        return f"## {self.title}\n\n{markdown_table(self.header, self.rows)}\n"

    def show(self) -> None:
        """Print the table."""
        result = Table(title=Text(printable(self.title)), title_justify="left")
        for column, name in enumerate(self.header):
            result.add_column(Text(printable(name)), justify="right" if column else "left")
        for row in self.rows:
            result.add_row(*(Text(printable(cell)) for cell in row))
        print_whole(result)


def print_whole(table: Table) -> None:
    """Print a table in its full width, also where the terminal is narrower."""
    wide = Console(width=1000)
    needed = Measurement.get(wide, wide.options, table).maximum
    Console(width=max(Console().width, needed)).print(table)


def mean_and_deviation(values: Sequence[float]) -> str:
    """Return the mean and, of two values and more, the sample standard deviation; "-" of none."""
    if not values:
        return "-"
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")
