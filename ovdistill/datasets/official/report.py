"""Prints the table of `ovdistill prepare-lvis` and `prepare-coco`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ovdistill.core.text import printable
from ovdistill.datasets.official.instances import Counts
from ovdistill.datasets.official.source import SourceFile

COLUMNS = ("base", "novel", "images", "official", "kept", "dropped", "bare")
UNCHANGED = "left as it is"


@dataclass(frozen=True)
class Row:
    """A row of the table: a file, what it holds and what was done with it.

    Attributes:
        path: the file.
        source: what it was made from; the file itself if it was only checked.
        counts: what it holds.
        status: "written", "checked" or ``UNCHANGED``.
    """

    path: Path
    source: SourceFile
    counts: Counts
    status: str

    @classmethod
    def unchanged(cls, path: Path, source: SourceFile, counts: Mapping[str, Any]) -> Row:
        """Return the row of a file that is not written again, with the counts noted in it."""
        return cls(path, source, Counts(**counts), UNCHANGED)


def print_rows(rows: Sequence[Row]) -> None:
    """Print the table, in full width even on a narrow terminal, and remarks on it."""
    table = Table()
    for name in ("file", "status", *COLUMNS):
        table.add_column(name, justify="right" if name in COLUMNS else "left")
    for row in rows:
        figures = vars(row.counts) | {"official": row.source.official_images}
        cells = ("-" if figures[name] is None else f"{figures[name]:,}" for name in COLUMNS)
        table.add_row(Text(printable(row.path.name)), row.status, *cells)
    Console(width=1000).print(table)
    print(
        "base, novel: categories. official: images of the official file. kept, dropped: "
        "annotations. bare: images without a kept annotation."
    )
    for row in rows:
        images, official = row.counts.images, row.source.official_images
        if images != official:
            kind = "a subset of" if images < official else "more than"
            name = printable(row.source.path.name)
            print(f"note: {name} has {images:,} images, {kind} the official {official:,}")
    for names in {tuple(row.counts.unused) for row in rows if row.counts.unused}:
        print(f"{len(names)} classes are not used: {printable(', '.join(names))}")
    for row in rows:
        remark = " (made from the same input; --force makes it again)"
        print(f"{row.status}: {printable(row.path)}{remark if row.status == UNCHANGED else ''}")
