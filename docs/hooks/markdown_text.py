"""Turn plain text of the code, such as docstrings and help, into Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby


def fence_indented(text: str) -> str:
    """Return a docstring as Markdown: its indented lines become blocks of shell commands.

    Args:
        text: paragraphs, and lines indented by four spaces, with or without a blank line between.
    """
    parts = []
    for indented, lines in groupby(text.splitlines(), lambda line: line.startswith("    ")):
        part = textwrap.dedent("\n".join(lines)).strip("\n")
        parts.append(f"```bash\n{part}\n```" if indented else escape(part))
    return "\n\n".join(part for part in parts if part)


def escape(text: str) -> str:
    """Return text whose asterisks, pipes and angle brackets Markdown leaves alone, but in code."""
    parts = re.split(r"(`[^`]*`)", text)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"[*|<]", lambda found: f"\\{found[0]}", parts[index])
    return "".join(parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the cells are Markdown, with line breaks made spaces."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.split()) for cell in row) + " |" for row in lines
    )
