"""Text embeddings that are kept, so that each text is encoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

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
        new = [name for name in names if known is None or name not in known.names]
        if new:
            encoded = self._encode(new)
            known = encoded if known is None else known.followed_by(encoded)
        assert known is not None  # there are names
        self._known = known
        rows = [known.names.index(name) for name in names]
        return replace(
            known,
            names=tuple(names),
            embeddings=known.embeddings[rows],
            is_base=known.is_base[rows],
        )
