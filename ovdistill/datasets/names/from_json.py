"""Find class names in what a JSON file holds: category records, lists and mappings of names.

Every function raises ValueError with the problem; ``reader`` adds the file.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from typing import Any

from ovdistill.datasets.annotations.categories import root_category
from ovdistill.datasets.annotations.values import to_whole_number
from ovdistill.vocabulary import Names

# keys under which files list their classes: COCO and LVIS; YOLO; CVAT; and lists of one's own
LISTS = ("categories", "names", "labels", "classes")
ANNOTATION_KEYS = ("images", "annotations")  # of a COCO or LVIS file
NAME_KEYS = ("name", "class_name", "label", "class", "category")  # of a record
FREQUENCIES = ("f", "c", "r")


def names_of_json(data: Any) -> Names:
    """Return the class names of JSON content.

    Args:
        data: a COCO or LVIS file, whose lists but for ``categories`` are not looked at; a list of
            names or of records with a name; an object with such a list, or a mapping, under a key
            of ``LISTS`` (Datumaro's categories among them); a mapping from number to name or from
            name to number.

    Returns:
        The names; records whose ``id`` is a number, or text of one, are sorted by it, mappings by
        their numbers.

    Raises:
        ValueError: none of these.
    """
    if isinstance(data, list):
        return _of_list(data)
    if not isinstance(data, dict):
        raise ValueError(f"it holds {reprlib.repr(data)}")
    found = [key for key in LISTS if isinstance(data.get(key), (list, dict))]
    if "categories" in found and not data.keys().isdisjoint(ANNOTATION_KEYS):
        found = ["categories"]
    if len(found) > 1:
        raise ValueError(f"it has {' and '.join(found)}, which may differ")
    if not found:
        return Names(_of_mapping(data))
    content = data[found[0]]
    if isinstance(content, list):
        if found[0] == "categories":
            # the reader of annotations leaves it out too
            root = root_category(content, data.get("annotations"))
            content = [record for record in content if root is None or record is not root]
        return _of_list(content)
    if isinstance(labels := content.get("label"), dict):  # Datumaro: categories.label.labels
        return _of_list(labels.get("labels"))
    return Names(_of_mapping(content))


def names_of_json_lines(text: str) -> Names:
    """Return the class names of a text with one JSON value a line, a name or a record with one.

    Raises:
        ValueError: a line that is no JSON, or see ``names_of_json``.
    """
    values = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number} is not JSON: {str(error)[:80]}") from None
    return _of_list(values)


def _of_list(values: Any) -> Names:
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return Names(tuple(value.strip() for value in values))
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ValueError(f"its list of classes is {reprlib.repr(values)}, not of names or records")
    return _of_records(values)


def _of_records(records: list[dict[str, Any]]) -> Names:
    key = next((key for key in NAME_KEYS if all(key in record for record in records)), None)
    if key is None:
        raise ValueError("its records have no name")
    for record in records:
        if not isinstance(record[key], str):
            raise ValueError(
                f"a category has the {key} {reprlib.repr(record[key])}, which is no text"
            )
    numbered = [
        (number, record)
        for record in records
        if (number := to_whole_number(record.get("id"))) is not None
    ]
    with_ids = len(numbered) == len(records)
    if with_ids:
        if len({number for number, _ in numbered}) < len(numbered):
            raise ValueError("a category id occurs twice")
        numbered.sort(key=lambda pair: pair[0])
        records = [record for _, record in numbered]
    return Names(
        names=tuple(record[key].strip() for record in records),
        frequency=_values(records, "frequency", "f, c or r", lambda value: value in FREQUENCIES),
        synonyms=_synonyms(records),
        ids=tuple(number for number, _ in numbered) if with_ids else None,
        counts=_values(
            records,
            "image_count",
            "a whole number",
            lambda value: type(value) is int and value >= 0,
        ),
    )


def _of_mapping(mapping: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of {"0": "fox"} or {"fox": 0}, in the order of the numbers."""
    if mapping and all(isinstance(name, str) for name in mapping.values()):
        if not all(key.isascii() and key.isdigit() and len(key) < 10 for key in mapping):
            raise ValueError(f"it maps {reprlib.repr(next(iter(mapping)))} to a text, not a number")
        pairs = [(int(key), name) for key, name in mapping.items()]
    elif mapping and all(type(number) is int for number in mapping.values()):
        pairs = [(number, name) for name, number in mapping.items()]
    else:
        raise ValueError(f"it has no {', '.join(LISTS)}")
    if len({number for number, _ in pairs}) < len(pairs):
        raise ValueError("a number occurs twice in its mapping")
    return tuple(name.strip() for _, name in sorted(pairs))


def _values(
    records: Sequence[dict[str, Any]], key: str, expected: str, is_good: Any
) -> tuple[Any, ...] | None:
    """Return the values of a key; None unless every record has one."""
    values = [record.get(key) for record in records]
    if None in values:
        return None
    for value in values:
        if not is_good(value):
            raise ValueError(
                f"a category has the {key} {reprlib.repr(value)}, not {expected}; leave it out, or "
                "correct it"
            )
    return tuple(values)


def _synonyms(records: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], ...] | None:
    def is_good(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(synonym, str) for synonym in value)

    values = _values(records, "synonyms", "a list of texts", is_good)
    return None if values is None else tuple(tuple(own) for own in values)
