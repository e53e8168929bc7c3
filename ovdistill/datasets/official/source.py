"""Reads a JSON file of any size a record at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import ijson

from ovdistill.core.errors import UserError
from ovdistill.core.files import sha256_of
from ovdistill.core.json_stream import CHUNK, JsonStreamError, stream_json
from ovdistill.datasets.annotation_values import Record

T = TypeVar("T", dict[str, Any], list[Any])


@dataclass(frozen=True)
class SourceFile:
    """An official annotation file, or one in its format.

    Every method reads the file from its start, because its sections may come in any order.

    Attributes:
        path: the file.
        title: what it is expected to be, e.g. "the LVIS v1 train annotations".
        url: address of the official file.
        official_images: number of images of the official file.
    """

    path: Path
    title: str
    url: str
    official_images: int

    def error(self, problem: str) -> UserError:
        """Return an error that names the file, what it should be, and its official address."""
        return UserError(f"{self.path} {problem}. Expected {self.title}: {self.url}")

    def fingerprint(self) -> dict[str, Any]:
        """Return the size in bytes and the SHA-256 of the content.

        Raises:
            UserError: no such file.
        """
        self._open().close()  # raises where there is no such file
        return {"bytes": self.path.stat().st_size, "sha256": sha256_of(self.path)}

    def read(self, prefix: str) -> Iterator[Any]:
        """Read the values at an ijson prefix, with a progress bar on a terminal.

        Args:
            prefix: "info" gives one value, "images.item" every record of a list.

        Yields:
            The values; none if the file has no such key.

        Raises:
            UserError: no such file, not JSON, or an incomplete file.
        """
        self._open().close()  # raises where there is no such file
        title = f"{self.path.name}: {prefix.removesuffix('.item')}"
        try:
            yield from stream_json(self.path, prefix, title)
        except JsonStreamError as error:
            raise self.error(f"is not a complete JSON file ({error})") from None

    def records(self, section: str, keys: frozenset[str]) -> Iterator[Record]:
        """Read the records of a list at the top level.

        Args:
            section: "images", "annotations" or "categories".
            keys: the keys that every record must have.

        Yields:
            The records, in the order of the file.

        Raises:
            UserError: not JSON, no such list or an empty one, or a record that lacks a key.
        """
        number = 0
        for number, record in enumerate(self.read(f"{section}.item"), 1):
            if not isinstance(record, dict):
                raise self.error(f"has no object as record {number} of {section}: {record!r:.60}")
            if not keys <= record.keys():
                raise self.error(
                    f"has no {', '.join(sorted(keys - record.keys()))} in record {number} of "
                    f"{section}, which has {', '.join(record)}"
                )
            yield record
        if not number:
            raise self.error(
                f"has no {section}; at its top level it has {', '.join(self._keys()) or 'nothing'}"
            )

    def value(self, key: str, kind: type[T]) -> T:
        """Read the value of a key at the top level; empty if the file has no such key.

        Args:
            key: the key, such as "info".
            kind: the type that the value must have, dict or list.

        Raises:
            UserError: not JSON, or a value of another type.
        """
        value = next(self.read(key), kind())
        if not isinstance(value, kind):
            raise self.error(f"has {key} that is no {kind.__name__}: {value!r:.60}")
        return value

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise self.error("is not there") from None

    def _keys(self) -> list[str]:
        """Read the keys at the top level."""
        with self._open() as file:
            events = ijson.parse(file, use_float=True, buf_size=CHUNK)
            return [key for prefix, event, key in events if (prefix, event) == ("", "map_key")]
