"""Category names and what is known about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass

from ovdistill.core.errors import UserError


@dataclass(frozen=True)
class Names:
    """W category names, in the order of their ids, and what the source says about them.

    Attributes:
        names: W names as the source spells them.
        frequency: "f", "c" or "r" each (LVIS), or None.
        synonyms: the synonyms of each (LVIS), or None.
        ids: category ids, ascending, or None.
        counts: training images with each (LVIS), or None.
    """

    names: tuple[str, ...]
    frequency: tuple[str, ...] | None = None
    synonyms: tuple[tuple[str, ...], ...] | None = None
    ids: tuple[int, ...] | None = None
    counts: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def only(self, kept: Container[str]) -> Names:
        """Those of the names that are in ``kept``, in the same order."""
        rows = [row for row, name in enumerate(self.names) if name in kept]
        parts = (self.names, self.frequency, self.synonyms, self.ids, self.counts)
        return Names(*(part and tuple(part[row] for row in rows) for part in parts))


def check_names(names: Iterable[str], source: str) -> None:
    """Raises UserError for no names, an empty one or a repeated one."""
    names = tuple(names)
    if not any(names):
        raise UserError(f"no names in {source}; expected at least one name")
    if "" in names:
        raise UserError(f"name {names.index('') + 1} of {source} is empty; expected a name")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(
            f"names occur more than once in {source}: {', '.join(repeated[:5])}; "
            "expected each category once"
        )
