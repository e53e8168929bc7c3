"""List the class names of a vocabulary file, and its teacher, which is not loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ovdistill.commands.options import CommonOptions, argument, flag, option
from ovdistill.commands.printing import cells, print_lines
from ovdistill.core.text import printable
from ovdistill.core.vocabulary_header import VocabularyHeader, read_header

COLUMNS = ("name", "split", "frequency", "synonyms")


@dataclass(frozen=True, kw_only=True)
class ShowOptions(CommonOptions):
    """Options of ``ovdistill vocab show``."""

    file: str = argument("vocabulary file")
    limit: int = option(20, help="number of names to show, 0 for all", least=0)
    grep: str = option(
        "", metavar="TEXT", help="only names that contain this, or whose synonyms do"
    )
    json: bool = flag(help="print everything but the embeddings as JSON")


def show(options: ShowOptions) -> None:
    """Print provenance and names: a table on a terminal, else columns separated by tabs.

    Raises:
        UserError: see ``read_header``.
    """
    header = read_header(options.file)
    if options.json:
        content = asdict(header) | {"teacher": header.teacher._asdict()}
        print_lines(json.dumps(content, indent=2).splitlines())
        return
    from rich.console import Console
    from rich.table import Table

    rows = [row for row in table_rows(header) if contains(row, options.grep)]
    shown = rows[: options.limit or None]
    origin = [printable(f"{key}: {value}") for key, value in provenance(header).items()]
    left = len(rows) - len(shown)
    rest = [f"... and {left} more (--limit 0 shows all)"] if left else []
    console = Console()
    if not console.is_terminal:
        print_lines(
            [*origin, *("\t".join(map(printable, row)) for row in [COLUMNS, *shown]), *rest]
        )
        return
    table = Table(*COLUMNS)
    for row in shown:
        table.add_row(*cells(row))
    console.print(*origin, table, *rest, sep="\n", markup=False, highlight=False)


def provenance(header: VocabularyHeader) -> dict[str, str]:
    """Return what a file says of its origin, for people."""
    base = sum(header.is_base)
    templates = header.templates
    more = f" and {len(templates) - 1} more" if len(templates) > 1 else ""
    return {
        "format": header.format,
        "teacher": str(header.teacher),
        "width": str(header.embed_dim),
        "names": f"{len(header)} ({base} base, {len(header) - base} novel)",
        "templates": f"{templates[0]}{more}" if templates else "unknown",
        "synonyms averaged": "yes" if header.synonyms_averaged else "no",
        "tokens": "embedded too" if header.has_tokens else "no",
    }


def table_rows(header: VocabularyHeader) -> list[tuple[str, str, str, str]]:
    """Return a row of ``COLUMNS`` for each class name; "-" for what the file does not say."""
    count = len(header)
    frequency = header.frequency or ("-",) * count
    synonyms = header.synonyms or (("-",),) * count
    split = ["base" if base else "novel" for base in header.is_base]
    return [
        (name, part, group, ", ".join(own))
        for name, part, group, own in zip(header.names, split, frequency, synonyms, strict=True)
    ]


def contains(row: Sequence[str], text: str) -> bool:
    """Return True if the name or the synonyms of a row contain a text, in any case."""
    return any(text.lower() in part.lower() for part in (row[0], row[3]))
