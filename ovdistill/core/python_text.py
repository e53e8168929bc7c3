"""Python source that holds data: names, paths and numbers that must not be read as code.

Configs that commands write contain category names, file names and whatever else a user's data has.
Everything goes through ``literal`` or ``docstring``, so that nothing in it ends a string early, is
replaced by mmengine (``{{ fileDirname }}``, ``{{$VARIABLE:default}}``) or fails to be encoded.
"""

from __future__ import annotations

import keyword
import math
import pprint
import textwrap
from collections.abc import Mapping
from string import Template
from typing import Any

from ovdistill.core.errors import UserError

WIDTH = 90
BRACES, ESCAPED_BRACES = "{{", "{\\x7b"


def literal(value: Any) -> str:
    """Return the Python source of a string, number, tuple, list or dict of such values.

    Dicts whose keys are identifiers are written as ``dict(key=value)``.

    Raises:
        UserError: a value of another kind, such as a function in a config of a user's own.
    """
    if isinstance(value, Mapping):
        return _brackets("dict(", [_item(value, key) for key in value], ")")
    listed = isinstance(value, (list, tuple))
    if listed and any(isinstance(each, (Mapping, list, tuple)) for each in value):
        left, right = "[]" if isinstance(value, list) else "()"
        end = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return _brackets(left, [literal(each) for each in value], end + right)
    for each in value if listed else (value,):
        if not (each is None or isinstance(each, (bool, int, str, float))):
            raise UserError(f"got {each!r:.100} in a config; expected texts, numbers and lists")
        if isinstance(each, float) and not math.isfinite(each):
            raise UserError(f"got {each} in a config; expected a finite number")
    if isinstance(value, str):
        text = repr(value)
    else:
        text = pprint.pformat(value, width=WIDTH, compact=True)
    return text.replace(BRACES, ESCAPED_BRACES)


def _item(mapping: Mapping[str, Any], key: str) -> str:
    """Return an argument of ``dict(...)``."""
    if key.isidentifier() and key.isascii() and not keyword.iskeyword(key):
        return f"{key}={literal(mapping[key])}"
    return f"**{{{literal(key)}: {literal(mapping[key])}}}"


def _brackets(left: str, items: list[str], right: str) -> str:
    """Return items in brackets, on one line if they fit."""
    line = left + ", ".join(items) + right
    if len(line) <= WIDTH and "\n" not in line:
        return line
    lines = textwrap.indent(",\n".join(items), "    ")
    return f"{left}\n{lines},\n{right.lstrip(',')}"


def docstring(text: str) -> str:
    """Return the Python source of a docstring with this text."""
    source = "".join(c if c == "\n" or c.isprintable() else repr(c)[1:-1] for c in _escaped(text))
    return f'"""{source}"""'


def fill(template: Template, **values: Any) -> str:
    """Return the source that a template makes, with every value as a literal."""
    return template.substitute({name: literal(value) for name, value in values.items()})


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace(BRACES, ESCAPED_BRACES)
