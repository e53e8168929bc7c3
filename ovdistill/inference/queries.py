"""Splits the text that says what to look for into queries."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.core.errors import UserError


def parse_queries(text: str | Sequence[str]) -> tuple[str, ...]:
    """Split a text such as "red star, outlined heart" at its commas.

    Args:
        text: one text, or the queries as a sequence of texts, which are not split.

    Returns:
        The queries in their order, without repeats, empty ones and superfluous white space.

    Raises:
        UserError: there is no query in the text.
    """
    parts = text.split(",") if isinstance(text, str) else text
    queries = tuple(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))
    if not queries:
        raise UserError(
            f"no query in the text {text!r}: expected texts between commas, for example "
            '--text "red striped star, outlined heart".'
        )
    return queries
