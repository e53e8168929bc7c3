"""Splits the text that says what to look for into queries, or reads them from a file."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.core.errors import UserError
from ovdistill.core.name_files import names_a_file


def parse_queries(text: str | Sequence[str]) -> tuple[str, ...]:
    """Split a text such as "red star, outlined heart" at its commas.

    Args:
        text: one text; or a file of names, such as "words.txt", which ``read_names`` reads; or the
            queries as a sequence of texts, which are not split.

    Returns:
        The queries in their order, without repeats, empty ones and superfluous white space.

    Raises:
        UserError: there is no query in the text, or see ``read_names``.
    """
    if isinstance(text, str) and names_a_file(text.strip()):
        from ovdistill.datasets.category_names import read_names  # it imports torch

        text = read_names(text.strip()).names
    parts = text.split(",") if isinstance(text, str) else text
    queries = tuple(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))
    if not queries:
        raise UserError(
            f"no query in the text {text!r}: expected texts between commas, for example "
            '--text "red striped star, outlined heart".'
        )
    return queries
