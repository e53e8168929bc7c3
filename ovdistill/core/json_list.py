"""Read a JSON file that is a long list, one value at a time, whatever its bytes are.

Python's own decoder reads each value. A streaming parser (ijson) keeps the path to every level of a
value, so that some kilobytes of "[[[[" take all memory; and it takes no NaN, which tools write.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import EXCERPT
from ovdistill.core.logs import progress

CHUNK = 1 << 20  # characters read at a time
LARGEST = 64 * CHUNK  # characters of one value
WHITE_SPACE = re.compile(r"[ \t\n\r]*")
FOLLOWING = frozenset(" \t\n\r,]")  # characters that may follow a value


def read_json_list(path: Path, expected: str) -> Iterator[Any]:
    """Read the values of a list, with a progress bar on a terminal.

    Args:
        path: the file, in UTF-8, UTF-16 or UTF-32.
        expected: what it should hold, for messages: "expected a list of ...".

    Yields:
        The values, in the order of the file; NaN and Infinity are floats.

    Raises:
        UserError: no such file, no list, one that is not complete, not JSON, or nested too deeply.
    """
    try:
        bar = progress(
            title=path.name,
            unit="B",
            unit_scale=True,
            total=path.stat().st_size,
            leave=False,
            delay=1,  # a file that is read in a second needs no bar
        )
        with path.open("rb") as raw, bar:
            encoding = json.detect_encoding(raw.peek(4))
            text = io.TextIOWrapper(raw, encoding)
            yield from _ListReader(text, lambda: bar.update(raw.tell() - bar.n)).values()
    except RecursionError:
        reason = "it is nested too deeply"
    except UnicodeDecodeError as error:
        reason = f"not {error.encoding}: {error.reason}"
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}); {expected}.") from None
    except ValueError as error:
        reason = str(error)[:EXCERPT]
    else:
        return
    raise UserError(f"{path} is not a complete JSON list ({reason}); {expected}.")


class _ListReader:
    """Decodes what is in a buffer, and reads more where a value is not complete."""

    def __init__(self, file: TextIO, on_read: Callable[[], object]) -> None:
        self._file, self._on_read = file, on_read
        self._decode = json.JSONDecoder().raw_decode
        self._text, self._at = "", 0

    def values(self) -> Iterator[Any]:
        """Yield the values of the list.

        Raises:
            ValueError: it is no list, or it is damaged.
        """
        self._expect("[")
        if self._next() == "]":
            self._at += 1
        else:
            while True:
                yield self._value()
                if self._expect(",]") == "]":
                    break
        if left := self._next():
            raise ValueError(f"{left!r} follows the list")

    def _value(self) -> Any:
        """Decode the value that begins here; what follows tells whether it is all of it."""
        self._next()
        size = CHUNK
        while True:
            damage = None
            try:
                value, end = self._decode(self._text, self._at)
                if self._text[end : end + 1] in FOLLOWING:
                    self._at = end
                    return value
            except ValueError as error:
                damage = error
            if size > LARGEST or not self._more(size):
                raise damage or ValueError("a value is not followed by ',' or ']'")
            size *= 2

    def _expect(self, characters: str) -> str:
        """Step over one of these characters, after white space, and return it."""
        found = self._next()
        if not found or found not in characters:
            got = repr(found) if found else "its end"
            raise ValueError(f"got {got} where one of {characters!r} should be")
        self._at += 1
        return found

    def _next(self) -> str:
        """Step over white space; return the next character, or "" at the end of the file."""
        while True:
            match = WHITE_SPACE.match(self._text, self._at)
            assert match is not None  # the pattern matches nothing, too
            self._at = match.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(CHUNK):
                return ""

    def _more(self, size: int) -> bool:
        """Read on, and drop what was decoded; return False at the end of the file."""
        new = self._file.read(size)
        self._text, self._at = self._text[self._at :] + new, 0
        self._on_read()
        return bool(new)
