"""Text embeddings that are kept, so that each text is encoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ovdistill.core.class_names import clean_name
from ovdistill.vocabulary import Vocabulary


class EncodedTexts:
    """All texts that were asked for so far.

    Args:
        encode: embeds new texts.
    """

    def __init__(self, encode: Callable[[Sequence[str]], Vocabulary]) -> None:
        self._encode = encode
        self._known: Vocabulary | None = None

    def __call__(self, names: Sequence[str]) -> Vocabulary:
        """Return names, at least one, with their text embeddings."""
        known = self._known
        rows = {} if known is None else _rows(known)
        new = [name for name in names if clean_name(name) not in rows]
        if new:
            encoded = self._encode(new)
            known = encoded if known is None else known.followed_by(encoded)
        assert known is not None  # there are names
        self._known = known
        rows = _rows(known)
        chosen = [rows[clean_name(name)] for name in names]
        return replace(
            known,
            names=tuple(names),
            embeddings=known.embeddings[chosen],
            is_base=known.is_base[chosen],
        )


def _rows(vocabulary: Vocabulary) -> dict[str, int]:
    """Return the row of each class by its cleaned name, which all of its spellings share."""
    return {clean_name(name): row for row, name in enumerate(vocabulary.names)}
