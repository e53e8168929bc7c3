"""Class names and what their source says about them."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError

T = TypeVar("T")
NO_UNICODE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Names:
    """W class names, in the order of their category ids, and what the source says about them.

    Attributes:
        names: W names as the source spells them.
        frequency: the frequency group of each name, "f", "c" or "r" (LVIS), or None.
        synonyms: the synonyms of each name (LVIS), or None.
        ids: category ids, ascending, or None.
        counts: number of training images with each class (LVIS), or None.
    """

    names: tuple[str, ...]
    frequency: tuple[str, ...] | None = None
    synonyms: tuple[tuple[str, ...], ...] | None = None
    ids: tuple[int, ...] | None = None
    counts: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def only(self, kept: Container[str]) -> Names:
        """Return the names that are in ``kept``, in the same order."""
        rows = [row for row, name in enumerate(self.names) if name in kept]
        return Names(
            names=_pick(self.names, rows),
            frequency=self.frequency and _pick(self.frequency, rows),
            synonyms=self.synonyms and _pick(self.synonyms, rows),
            ids=self.ids and _pick(self.ids, rows),
            counts=self.counts and _pick(self.counts, rows),
        )


def check_names(names: Iterable[str], source: str) -> None:
    """Raise UserError unless every name is a class of its own.

    Names that ``clean_name`` makes equal, such as "Nightstand" and "nightstand", have the same
    text embedding: a detector cannot tell them apart.

    Args:
        names: the names to check.
        source: where they come from, for the message.

    Raises:
        UserError: no names, an empty one, one that is not text in Unicode, or two of one class.
    """
    names = tuple(names)
    cleaned = [clean_name(name) for name in names]
    if not any(cleaned):
        raise UserError(f"no names in {source}; expected at least one name")
    if "" in cleaned:
        raise UserError(f"name {cleaned.index('') + 1} of {source} is empty; expected a name")
    if broken := [name for name in names if NO_UNICODE.search(name)]:
        raise UserError(f"name {broken[0]!r:.60} of {source} is not text in Unicode")
    first: dict[str, str] = {}
    for name, own in zip(names, cleaned, strict=True):
        if own in first:
            raise UserError(
                f"{name!r:.60} and {first[own]!r:.60} of {source} are one class; expected each "
                "once (case, '_' and a final '.' make no difference). In an annotation file, "
                "`ovdistill check ANN.json --fix OUT.json` makes them one category."
            )
        first[own] = name


def _pick(values: Sequence[T], rows: Sequence[int]) -> tuple[T, ...]:
    return tuple(values[row] for row in rows)
