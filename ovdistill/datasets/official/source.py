"""Reads a JSON file of any size a record at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import ijson
from tqdm import tqdm
from tqdm.utils import CallbackIOWrapper

from ovdistill.core.errors import UserError
from ovdistill.core.files import sha256_of
from ovdistill.core.logs import progress
from ovdistill.datasets.annotations.values import Record, shown

CHUNK = 1 << 20  # bytes read at a time
# what the values of some keys are, and their types
KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "id": ("number or text", (int, float, str)),
    "image_id": ("number or text", (int, float, str)),
    "name": ("text", (str,)),
    "caption": ("text", (str,)),
}
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
        if ijson.backend != "yajl2_c":
            warnings.warn(
                f"ijson's backend is {ijson.backend!r}, many times slower than 'yajl2_c', which "
                "its wheels hold: pip install --force-reinstall --only-binary ijson ijson",
                stacklevel=2,
            )
        with self._open() as file, self._progress(prefix) as bar:
            counted = CallbackIOWrapper(bar.update, file, "read")
            try:
                yield from ijson.items(counted, prefix, use_float=True, buf_size=CHUNK)
            except ijson.JSONError as error:
                # the C backend gives bytes where the text is no UTF-8; the rest is an excerpt
                reason = error.args[0]
                reason = reason if isinstance(reason, str) else reason.decode(errors="replace")
                raise self.error(
                    f"is not a complete JSON file ({reason.splitlines()[0]})"
                ) from None

    def records(self, section: str, keys: frozenset[str]) -> Iterator[Record]:
        """Read the records of a list at the top level.

        Args:
            section: "images", "annotations" or "categories".
            keys: the keys that every record must have.

        Yields:
            The records, in the order of the file.

        Raises:
            UserError: not JSON, no such list or an empty one, or a record that lacks a key or has
                a value of another kind than ``KINDS`` says.
        """
        kinds = [(key, *kind) for key, kind in KINDS.items() if key in keys]
        number = 0
        for number, record in enumerate(self.read(f"{section}.item"), 1):
            if not isinstance(record, dict):
                raise self.error(f"has no object as record {number} of {section}: {record!r:.60}")
            if not keys <= record.keys():
                raise self.error(
                    f"has no {', '.join(sorted(keys - record.keys()))} in record {number} of "
                    f"{section}, which has {', '.join(record)}"
                )
            for key, kind, types in kinds:
                if not isinstance(record[key], types):
                    raise self.error(
                        f"has {key} {shown(record[key])} in record {number} of {section}, which is "
                        f"no {kind}"
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

    def _progress(self, prefix: str) -> tqdm[Any]:
        title = f"{self.path.name}: {prefix.removesuffix('.item')}"
        size = self.path.stat().st_size
        # delayed: a file that is read in a second needs no bar
        return progress(title=title, unit="B", total=size, unit_scale=True, leave=False, delay=1)

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
