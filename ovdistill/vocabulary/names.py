"""Category names from whatever file a user has them in."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovdistill.errors import UserError

EXPECTED = (
    "expected a COCO or LVIS annotation file (.json), a JSON list of categories, a text file with "
    "one name a line, or names separated by commas"
)


@dataclass(frozen=True)
class Names:
    """W category names, in the order of their ids, and what the source says about them.

    Attributes:
        names: W names as the source spells them.
        frequency: "f", "c" or "r" each (LVIS), or None.
        synonyms: the synonyms of each (LVIS), or None.
        ids: category ids, ascending, or None.
        counts: training pictures with each (LVIS), or None.
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


def read_names(source: str | os.PathLike[str]) -> Names:
    """Reads category names.

    Args:
        source: a COCO or LVIS annotation file, a JSON list of categories or of names, a text
            file with one name a line, or the names themselves: "red star, blue ring".

    Returns:
        The names; categories with ids are sorted by id.

    Raises:
        UserError: no such file, not readable as any of these, no names, or an empty or
            repeated name.
    """
    text = os.fspath(source)
    path = Path(text)
    is_file = "\n" not in text and len(text) < 4096 and path.is_file()
    if not is_file:
        looks_like_path = path.suffix.lower() in (".json", ".txt", ".npy") or os.sep in text
        if not isinstance(source, str) or (looks_like_path and "," not in text):
            raise UserError(f"no file {text!r}; {EXPECTED}")
        return _checked(Names(tuple(part.strip() for part in text.split(","))), repr(text))
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read names from {text!r} ({error}); {EXPECTED}") from error
    if path.suffix.lower() != ".json":
        lines = (line.strip() for line in content.splitlines())
        return _checked(Names(tuple(line for line in lines if line)), repr(text))
    try:
        data = json.loads(content)
    except json.JSONDecodeError as error:
        raise UserError(f"{text!r} is not JSON ({error}); {EXPECTED}") from error
    return _checked(_from_json(data, text), repr(text))


def _from_json(data: Any, path: str) -> Names:
    categories = data.get("categories") if isinstance(data, dict) else data
    if isinstance(categories, list) and all(isinstance(c, str) for c in categories):
        return Names(tuple(c.strip() for c in categories))
    if not isinstance(categories, list) or not all(
        isinstance(c, dict) and isinstance(c.get("name"), str) for c in categories
    ):
        raise UserError(f"no list of categories with names in {path!r}; {EXPECTED}")
    with_ids = all(isinstance(c.get("id"), int) for c in categories)
    if with_ids:
        categories = sorted(categories, key=lambda c: c["id"])
        ids = [c["id"] for c in categories]
        if len(set(ids)) < len(ids):
            raise UserError(f"a category id occurs twice in {path!r}; expected one category an id")
    return Names(
        names=tuple(c["name"].strip() for c in categories),
        frequency=_all_have(categories, "frequency", str),
        synonyms=_all_have(categories, "synonyms", tuple),
        ids=tuple(ids) if with_ids else None,
        counts=_all_have(categories, "image_count", int),
    )


def _all_have(categories: Iterable[dict], key: str, kind: type) -> tuple | None:
    """The values of a key as ``kind``, or None unless every category has it."""
    values = [category.get(key) for category in categories]
    return None if None in values else tuple(kind(value) for value in values)


def _checked(names: Names, source: str) -> Names:
    check_names(names.names, source)
    return names


def check_names(names: Iterable[str], source: str) -> None:
    """Raises UserError for no names, an empty one or a repeated one."""
    names = tuple(names)
    if not any(names):
        raise UserError(f"no names in {source}; {EXPECTED}")
    if "" in names:
        raise UserError(f"name {names.index('') + 1} of {source} is empty; {EXPECTED}")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(
            f"names occur more than once in {source}: {', '.join(repeated[:5])}; "
            "expected each category once"
        )
