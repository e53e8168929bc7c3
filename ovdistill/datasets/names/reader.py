"""Reads class names: by the name of a data set, or from a file in one of several formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.core.assets import LVIS_CATEGORIES
from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.core.name_files import names_a_file
from ovdistill.datasets.names.from_json import names_of_json, names_of_json_lines
from ovdistill.datasets.names.from_lines import names_of_lines, names_of_yaml
from ovdistill.datasets.names.from_tables import names_of_table
from ovdistill.datasets.names.label_table import SHIPPED, load_label_table
from ovdistill.vocabulary import Names
from ovdistill.vocabulary.names import check_names
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NAMES, COCO_NOVEL

if TYPE_CHECKING:
    from ovdistill.datasets.annotations import Annotations

# readers by suffix; .json is read by ``read_json``, everything else is one name a line
READERS = {
    ".jsonl": names_of_json_lines,
    ".ndjson": names_of_json_lines,
    ".yaml": names_of_yaml,
    ".yml": names_of_yaml,
    ".csv": names_of_table,
    ".tsv": lambda text: names_of_table(text, "\t"),
}
LARGEST = 4 << 20  # bytes of a file of names that is not JSON
EXPECTED = (
    "expected a COCO or LVIS annotation file (.json), a list or mapping of names (.json, .jsonl, "
    ".yaml), a table with a column 'name' (.csv, .tsv), CVAT's labelmap.txt, a text file with one "
    "name a line, or names separated by commas"
)


def find_names(source: str | os.PathLike[str]) -> Names:
    """Return class names, in the order of their category ids.

    Args:
        source: 'lvis' (the 1203 of LVIS v1 as mmdet spells them, with their frequencies), 'coco80'
            (all of COCO), 'coco' (the 48 base and 17 novel ones of OV-COCO); the classes of label
            maps: 'voc' (20), 'coco-stuff' (171), 'coco-panoptic' (133), 'ade20k' (150, with
            synonyms), 'ovshapes' (its 65 categories and the background); for everything else see
            ``read_names``.

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
    if source in SHIPPED:
        table = load_label_table(source)
        return table.class_names(synonyms=source == "ade20k")
    return read_names(source)


def read_names(source: str | os.PathLike[str]) -> Names:
    """Read class names.

    Args:
        source: a file, which its suffix says how to read (see ``EXPECTED``), or the names
            themselves: "red star, blue ring".

    Returns:
        The names; categories with ids are sorted by id.

    Raises:
        UserError: no such file, a file that is something else than names, no names, an empty name
            or two that name the same class (see ``check_names``).
    """
    text = os.fspath(source)
    if "\n" not in text and os.path.isfile(text):
        names = _read_file(Path(text))
    elif not isinstance(source, str) or names_a_file(text) or (os.sep in text and "," not in text):
        what = "is a folder" if os.path.isdir(text) else "is no file"
        raise UserError(f"{text!r} {what}; {EXPECTED}")
    else:
        names = Names(tuple(part.strip() for part in text.split(",")))
    check_names(names.names, repr(text[:200]))
    return names


def names_of_annotations(found: Annotations) -> Names:
    """Return the class names of an annotation file that has been read.

    Raises:
        UserError: it has no categories, or one of unusable frequency, synonyms or image_count.
    """
    if not found.categories:
        raise UserError(f"{found.path} has no categories; expected those of its objects")
    try:
        return names_of_json([*found.categories.values()])
    except ValueError as error:
        raise UserError(f"cannot use the categories of {found.path}: {error}") from None


def _read_file(path: Path) -> Names:
    """Read the names of a file, before they are checked."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".json":
            return names_of_json(read_json(path, "file of names"))
        return READERS.get(suffix, names_of_lines)(read_text(path))
    except ValueError as error:
        raise UserError(f"cannot read names from {str(path)!r}: {error}; {EXPECTED}") from None


def read_text(path: Path) -> str:
    """Return the content of a file in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        ValueError: too large, unreadable, or no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(error.strerror) from None
    if len(content) > LARGEST:
        raise ValueError(f"it has over {LARGEST >> 20} MiB")
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # as Windows' Notepad may write
    text = content.decode("utf-16" if utf16 else "utf-8-sig")  # its error is a ValueError
    if "\0" in text:
        raise ValueError("it is no text")
    return text
