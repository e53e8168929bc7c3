"""Reads class names: by the name of a data set, or from a file in one of several formats."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from ovdistill.core.assets import LVIS_CATEGORIES
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotation_categories import root_category
from ovdistill.datasets.annotation_values import to_whole_number
from ovdistill.datasets.annotations import read_json
from ovdistill.vocabulary import Names
from ovdistill.vocabulary.names import check_names
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NAMES, COCO_NOVEL

T = TypeVar("T")
EXPECTED = (
    "expected a COCO or LVIS annotation file (.json), a JSON list of categories, a text file with "
    "one name a line, or names separated by commas"
)


def find_names(source: str | os.PathLike[str]) -> Names:
    """Return class names, in the order of their category ids.

    Args:
        source: 'lvis' (the 1203 of LVIS v1 as mmdet spells them, with their frequencies), 'coco80'
            (all of COCO), 'coco' (the 48 base and 17 novel ones of OV-COCO); for everything else
            see ``read_names``.

    Raises:
        UserError: see ``read_names``.
    """
    if source == "lvis":
        rows = [line.split("\t") for line in LVIS_CATEGORIES.read_text("utf-8").splitlines()]
        return Names(tuple(name for name, _ in rows), tuple(group for _, group in rows))
    if source == "coco80":
        return Names(COCO_NAMES)
    if source == "coco":
        return find_names("coco80").only({*COCO_BASE, *COCO_NOVEL})
    return read_names(source)


def read_names(source: str | os.PathLike[str]) -> Names:
    """Read class names.

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
    if path.suffix.lower() == ".json":
        return _checked(_from_json(read_json(path), text), repr(text))
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read names from {text!r} ({error}); {EXPECTED}") from error
    lines = (line.strip() for line in content.splitlines())
    return _checked(Names(tuple(line for line in lines if line)), repr(text))


def _from_json(data: Any, path: str) -> Names:
    categories = data.get("categories") if isinstance(data, dict) else data
    if isinstance(data, dict) and isinstance(categories, list):
        root = root_category(categories, data.get("annotations"))
        categories = [category for category in categories if category is not root]
    if isinstance(categories, list) and all(isinstance(c, str) for c in categories):
        return Names(tuple(c.strip() for c in categories))
    if not isinstance(categories, list) or not all(
        isinstance(c, dict) and isinstance(c.get("name"), str) for c in categories
    ):
        raise UserError(f"no list of categories with names in {path!r}; {EXPECTED}")
    numbered = [
        (number, c) for c in categories if (number := to_whole_number(c.get("id"))) is not None
    ]
    with_ids = len(numbered) == len(categories)
    if with_ids:
        numbered.sort(key=lambda pair: pair[0])
        ids = [number for number, _ in numbered]
        categories = [category for _, category in numbered]
        if len(set(ids)) < len(ids):
            raise UserError(f"a category id occurs twice in {path!r}; expected one category an id")
    return Names(
        names=tuple(c["name"].strip() for c in categories),
        frequency=_values(categories, "frequency", str),
        synonyms=_values(categories, "synonyms", tuple),
        ids=tuple(ids) if with_ids else None,
        counts=_values(categories, "image_count", int),
    )


def _values(
    categories: Iterable[dict[str, Any]], key: str, kind: Callable[[Any], T]
) -> tuple[T, ...] | None:
    """Return the values of a key, each as ``kind``; None unless every category has the key."""
    values = [category.get(key) for category in categories]
    return None if None in values else tuple(kind(value) for value in values)


def _checked(names: Names, source: str) -> Names:
    check_names(names.names, source)
    return names
