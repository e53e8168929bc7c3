"""Python source that holds data: names, paths and numbers that must not be read as code.

Configs that commands write contain category names, file names and whatever else a user's data has.
Everything goes through ``literal`` or ``docstring``, so that nothing in it ends a string early, is
replaced by mmengine (``{{ fileDirname }}``, ``{{$VARIABLE:default}}``) or fails to be encoded.
"""

from __future__ import annotations

import pprint
from string import Template
from typing import Any

BRACES, ESCAPED_BRACES = "{{", "{\\x7b"


def literal(value: Any) -> str:
    """Return the Python source of a string, number, tuple or list."""
    text = repr(value) if isinstance(value, str) else pprint.pformat(value, width=90, compact=True)
    return text.replace(BRACES, ESCAPED_BRACES)


def docstring(text: str) -> str:
    """Return the Python source of a docstring with this text."""
    source = "".join(c if c == "\n" or c.isprintable() else repr(c)[1:-1] for c in _escaped(text))
    return f'"""{source}"""'


def fill(template: Template, **values: Any) -> str:
    """Return the source that a template makes, with every value as a literal."""
    return template.substitute({name: literal(value) for name, value in values.items()})


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace(BRACES, ESCAPED_BRACES)
