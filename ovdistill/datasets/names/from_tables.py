"""Find class names in a table, CSV or TSV: the one column that holds words.

Every function raises ValueError with the problem; ``reader`` adds the file.
"""

from __future__ import annotations

import csv
import re

from ovdistill.vocabulary import Names

# headers of a column with class names, lower case, without "_", "-" and spaces
HEADERS = frozenset(
    "name names class classes classname classnames label labels labelname displayname category "
    "categories categoryname".split()
)
# what no class is called: numbers, colours, machine ids (OpenImages "/m/0306r", ImageNet "n0...")
NO_NAME = re.compile(r"|[-+]?[\d.,]+|#[0-9a-fA-F]{6}|/[mgt]/\w+|n\d{8}|true|false", re.IGNORECASE)


def names_of_table(text: str, delimiter: str | None = None) -> Names:
    """Return the names in the one column of a table that holds class names.

    The first row is a header if it names such a column, or if its cell is the only one of a column
    that is neither number nor id. Columns of numbers, colours and machine ids are passed over.

    Args:
        text: the table.
        delimiter: between cells; None: a comma, or a semicolon where the first line has no comma.

    Raises:
        ValueError: rows of unequal length, no column with names, or several.
    """
    columns = list(zip(*table_rows(text, delimiter), strict=True))
    rows = len(columns[0])
    named = [index for index, cells in enumerate(columns) if plain_header(cells[0]) in HEADERS]
    has_header = bool(named) or any(
        rows > 1 and not _is_id(cells[0]) and all(map(_is_id, cells[1:])) for cells in columns
    )
    body = [cells[has_header:] for cells in columns]
    words = [index for index, cells in enumerate(body) if not all(map(_is_id, cells))]
    if named:
        words = [index for index in words if index in named]
    if len(words) != 1:
        titles = ", ".join(repr(columns[index][0])[:40] for index in words)
        raise ValueError(
            f"{len(words)} of its {len(columns)} columns may hold the names"
            + (f" ({titles})" if words else "")
            + "; expected one, under a header 'name'"
        )
    return Names(body[words[0]])


def table_rows(text: str, delimiter: str | None = None) -> list[list[str]]:
    """Return the cells of all rows that are not empty, without the spaces around them.

    Args:
        text: the table.
        delimiter: see ``names_of_table``.

    Raises:
        ValueError: no rows, or rows of unequal length.
    """
    first = text.lstrip().partition("\n")[0]
    if delimiter is None:
        delimiter = ";" if ";" in first and "," not in first else ","
    try:
        found = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(f"it is no table ({error})") from None
    rows = [[cell.strip() for cell in row] for row in found if any(cell.strip() for cell in row)]
    if not rows:
        raise ValueError("it is empty")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ValueError(f"row {number} has {len(row)} cells, the first row {len(rows[0])}")
    return rows


def plain_header(cell: str) -> str:
    """Return the header of a column in lower case, without "_", "-" and spaces."""
    return re.sub(r"[\s_-]", "", cell).lower()


def _is_id(cell: str) -> bool:
    return NO_NAME.fullmatch(cell) is not None
