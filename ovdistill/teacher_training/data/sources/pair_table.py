"""Pairs of a table: a folder of images, and a file that says a text for each of them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.core.json_files import loads, read_json
from ovdistill.core.text import did_you_mean
from ovdistill.datasets.annotations.images import is_outside
from ovdistill.teacher_training.data.registry import register_source
from ovdistill.teacher_training.data.source import Pair, PairSource

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
SUFFIXES = (*DELIMITERS, ".json", *JSON_LINES)


@register_source
class PairTable(PairSource):
    """Images of a folder, with the texts of a table.

    Args:
        file: the table: .csv or .tsv with a header, .json with a list of objects, or .jsonl with an
            object a line.
        images: the folder that all images are in (default: that of the table).
        image_column: header or key of the image's file name, relative to that folder, or
            absolute and in it.
        text_column: header or key of the text. In JSON it may be a list of texts, of which one is
            drawn each time.
        label_column: header or key of the class: a name, or a whole number; an empty one is no
            class. None: no classes.
        weight: see ``PairSource``.

    Raises:
        UserError: a file that cannot be read, no such column, no rows, one that is incomplete, or
            an image outside of its folder.
    """

    def __init__(
        self,
        file: str | os.PathLike[str],
        images: str | os.PathLike[str] | None = None,
        image_column: str = "image",
        text_column: str = "text",
        label_column: str | None = None,
        weight: float | None = None,
    ) -> None:
        super().__init__(weight)
        self.file = Path(file)
        self.images = self.file.parent if images is None else Path(images)
        columns = [image_column, text_column, *([label_column] if label_column else [])]
        self.names: list[str] = []
        self.texts: list[str | list[str]] = []
        self.labels: list[str | None] = []
        for place, row in _read_rows(self.file):
            _check_columns(row, columns, self.file, place)
            name = _text(row[image_column], image_column, self.file, place)
            _check_inside(name, self.images, self.file, place)
            self.names.append(name)
            self.texts.append(_texts(row[text_column], text_column, self.file, place))
            label = row[label_column] if label_column else None
            self.labels.append(_label(label, str(label_column), self.file, place))
        if not self.names:
            raise UserError(f"{self.file} has no pairs; expected a row for each image")
        self.class_names = sorted({label for label in self.labels if label is not None})

    def __len__(self) -> int:
        return len(self.names)

    def load(self, index: int, rng: np.random.Generator) -> Pair:
        """Load a pair, see ``PairSource``."""
        text = self.texts[index]
        if not isinstance(text, str):
            text = text[rng.integers(len(text))]
        image = read_image(self.images / self.names[index])
        return Pair(image, text, self.labels[index])


def _read_rows(path: Path) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return the rows of a table, each with its place for messages.

    Raises:
        UserError: no such file, or one that cannot be read as its suffix says.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"got the table {path}; expected {', '.join(SUFFIXES)}")
    if suffix == ".json":
        content = read_json(path, "table of pairs")
        if not isinstance(content, list):
            raise UserError(f"{path} holds {type(content).__name__}; expected a list of objects")
        return [(f"row {number}", row) for number, row in enumerate(content, 1)]
    try:
        text = path.read_text(encoding="utf-8-sig")
        if suffix in JSON_LINES:
            lines = [line for line in enumerate(text.split("\n"), 1) if line[1].strip()]
            return [(f"line {n}", loads(line, f"line {n} of {path}")) for n, line in lines]
        return [*_read_cells(text, DELIMITERS[suffix], path)]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read the table of pairs {path} ({reason})") from error


def _read_cells(text: str, delimiter: str, path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of a table with a header."""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row:
                raise UserError(
                    f"{path}, line {reader.line_num} has more cells than the header; put a text "
                    f"with {'a tab' if delimiter != ',' else 'commas'} in it into quotes"
                )
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise UserError(
            f"cannot read the table of pairs {path}: line {reader.line_num} ({error})"
        ) from error


def _check_columns(row: Any, columns: Sequence[str], path: Path, place: str) -> None:
    if not isinstance(row, Mapping):
        raise UserError(f"{path}, {place}: {type(row).__name__}; expected an object")
    for name in columns:
        if name not in row:
            found = [str(key) for key in row if key is not None]
            hint = did_you_mean(
                name,
                found,
                "name it with image_column=, text_column= or label_column= of the source",
            )
            raise UserError(
                f"{path}, {place} has no {name!r}, but {', '.join(found)[:200] or 'nothing'}; "
                f"{hint}"
            )


def _text(value: Any, name: str, path: Path, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{path}, {place}: {name} is {value!r:.80}; expected a text")
    return value.strip()


def _check_inside(name: str, images: Path, path: Path, place: str) -> None:
    folder = os.path.abspath(images)
    whole = os.path.isabs(name) and Path(os.path.normpath(name)).is_relative_to(folder)
    if is_outside(name) and not whole:
        raise UserError(
            f"{path}, {place}: the image {name!r:.200} is not in the folder {images}; expected "
            "names in it: name the folder that has all of them with images= of the source"
        )


def _label(value: Any, name: str, path: Path, place: str) -> str | None:
    """Return the name of a class, None for an empty one."""
    if value is None or type(value) is int:
        return None if value is None else str(value)
    if not isinstance(value, str):
        raise UserError(
            f"{path}, {place}: {name} is {value!r:.80}; expected the name of a class, or a whole "
            "number"
        )
    return value.strip() or None


def _texts(value: Any, name: str, path: Path, place: str) -> str | list[str]:
    if isinstance(value, list) and value:
        return [_text(each, name, path, place) for each in value]
    return _text(value, name, path, place)
