"""Write Markdown in which text of unknown origin is only text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ovdistill.core.text import printable

MARKUP = frozenset("\\|`<>[]*")
RULES = {"l": "---", "c": ":---:", "r": "---:"}


def markdown_cell(text: str) -> str:
    """Return a text as the content of a cell of a table, where it stays plain text."""
    return "".join(f"\\{c}" if c in MARKUP else c for c in printable(text))


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], alignment: str | None = None
) -> str:
    """Return a table, whatever its cells hold.

    Args:
        header: names of the columns.
        rows: cells, as many as columns.
        alignment: of each column a letter: l left, c centre, r right. By default the first is on
            the left and all others, which are numbers, on the right.

    Returns:
        Lines, of which the last has no line break at its end.
    """
    rules = [RULES[letter] for letter in alignment or "l" + "r" * (len(header) - 1)]
    head, *body = ([markdown_cell(cell) for cell in row] for row in (header, *rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rules, *body))
