"""The table that the data tools print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ovdistill.datasets.official.instances import Counts
from ovdistill.datasets.official.source import SourceFile

COLUMNS = ("base", "novel", "images", "official", "kept", "dropped", "bare")
LEFT = "left as it is"


@dataclass(frozen=True)
class Row:
    """A file, what it holds and what was done with it.

    Attributes:
        path: the file.
        source: what it was made from; the file itself if it was only checked.
        counts: what it holds.
        status: "written", "checked" or ``LEFT``.
    """

    path: Path
    source: SourceFile
    counts: Counts
    status: str

    @classmethod
    def left(cls, path: Path, source: SourceFile, counts: Mapping[str, Any]) -> Row:
        """A finished file, with the counts that it notes."""
        return cls(path, source, Counts(**counts), LEFT)


def print_rows(rows: Sequence[Row]) -> None:
    """Prints the table, whole even where the terminal is narrower, and what stands out."""
    table = Table()
    for name in ("file", "status", *COLUMNS):
        table.add_column(name, justify="right" if name in COLUMNS else "left")
    for row in rows:
        figures = vars(row.counts) | {"official": row.source.official_images}
        cells = ("-" if figures[name] is None else f"{figures[name]:,}" for name in COLUMNS)
        table.add_row(row.path.name, row.status, *cells)
    Console(width=1000).print(table)
    print(
        "base, novel: categories. official: images of the official file. kept, dropped: "
        "annotations. bare: images without a kept annotation."
    )
    for row in rows:
        images, official = row.counts.images, row.source.official_images
        if images != official:
            kind = "a subset of" if images < official else "more than"
            name = row.source.path.name
            print(f"note: {name} has {images:,} images, {kind} the official {official:,}")
    for names in {tuple(row.counts.unused) for row in rows if row.counts.unused}:
        print(f"{len(names)} classes are not used: {', '.join(names)}")
    for row in rows:
        again = " (made from the same input; --force makes it again)" if row.status == LEFT else ""
        print(f"{row.status}: {row.path}{again}")
