"""Reading the text that says what to look for."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.core.errors import UserError


def parse_queries(text: str | Sequence[str]) -> tuple[str, ...]:
    """Splits "red star, outlined heart" at its commas; repeats and empty parts are dropped.

    Args:
        text: one text, or the queries as a sequence.

    Raises:
        UserError: nothing is left.
    """
    parts = text.split(",") if isinstance(text, str) else text
    queries = tuple(dict.fromkeys(" ".join(part.split()) for part in parts if part.strip()))
    if not queries:
        raise UserError(
            f"no query in the text {text!r}: expected words between commas, for example "
            '--text "red striped star, outlined heart".'
        )
    return queries
