"""Read the overrides of a config from a command line: text is data, never code.

The forms are those of mmengine's ``DictAction``: numbers, True, False, None, ``[1,2]``, ``(1,2)``,
``1,2`` and lists in lists; anything else is text. Unlike there, spaces inside a text stay ("/my
data"), quotes keep commas and brackets together ('"a, b"') and make text of a number, and brackets
that are not balanced are an error of the user. ``type`` takes the name of a component, not a path
of Python such as 'os.system', which mmengine would import and call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from ovdistill.core.errors import UserError

CLOSING = {"[": "]", "(": ")"}
# a quoted text that is a whole item
QUOTED = re.compile(r"""\s*("[^"]*"|'[^']*')\s*(?=[,\])]|$)""")
WORDS = {"true": True, "false": False}
COMPONENT_KEYS = ("type", "constructor", "_scope_", "default_scope")
COMPONENT = re.compile(r"\w+|mm(det|cv|engine)\.[A-Z]\w*")
MOST_LEVELS = 20


def read_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """Return overrides by dotted key; of two with the same key, the later one.

    Args:
        pairs: "key=value" each.

    Raises:
        UserError: no '=', brackets that are not balanced or too deep, a number that no float holds,
            or a ``type`` that is no name of a component.
    """
    overrides = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UserError(f"got --cfg-options {pair[:200]}; expected key=value")
        try:
            overrides[key] = value = read_value(text)
        except ValueError as error:
            raise UserError(f"got --cfg-options {pair[:200]}: {error}") from None
        if key.split(".")[-1] in COMPONENT_KEYS and not _is_component(value):
            raise UserError(
                f"got --cfg-options {pair[:200]}; expected the name of a registered component. A "
                "path of Python can be written in a config file, which is code."
            )
    return overrides


def read_value(text: str, level: int = 0) -> Any:
    """Return the value that a text stands for.

    Args:
        text: see the module.
        level: how many lists it is in.

    Raises:
        ValueError: see ``read_overrides``; the message says what is wrong.
    """
    if level > MOST_LEVELS:
        raise ValueError(f"lists in more than {MOST_LEVELS} lists")
    text = text.strip()
    if (match := QUOTED.match(text)) and match.end() == len(text):
        return text[1:-1]
    items = _split(text)
    if len(items) > 1:
        # a comma at the end makes a list too, as in mmengine
        return [read_value(item, level + 1) for item in items[: -1 if not items[-1] else None]]
    if text[:1] in CLOSING and text.endswith(CLOSING[text[0]]) and _is_one_group(text):
        inner = _split(text[1:-1])
        inner = inner[:-1] if not inner[-1].strip() else inner
        values = [read_value(item, level + 1) for item in inner]
        return tuple(values) if text[0] == "(" else values
    return _read_scalar(text)


def _split(text: str) -> list[str]:
    """Return the items between the commas that are in no brackets and no quotes."""
    items, start, open_brackets, position, fresh = [], 0, [], 0, True
    while position < len(text):
        if fresh and (match := QUOTED.match(text, position)):
            position, fresh = match.end(), False
            continue
        character = text[position]
        if character in CLOSING:
            open_brackets.append(CLOSING[character])
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
        elif character == "," and not open_brackets:
            items.append(text[start:position])
            start = position + 1
        fresh = character in "[(,"
        position += 1
    if open_brackets and (items or text[0] in CLOSING):
        raise ValueError("the brackets are not balanced")
    return [*items, text[start:]]


def _is_one_group(text: str) -> bool:
    """Return True if the first bracket closes at the end: '[a]', not '[a] and [b]'."""
    try:
        _split(text[:-1])
    except ValueError:
        return True
    return False


def _read_scalar(text: str) -> Any:
    """Return a number, a truth value, None or the text itself."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None if text == "None" else WORDS.get(text.lower(), text)
    if math.isnan(number) or (math.isinf(number) and any(c.isdigit() for c in text)):
        raise ValueError(f"{text[:20]} is no number that can be used")
    return number


def _is_component(value: Any) -> bool:
    return value is None or (isinstance(value, str) and bool(COMPONENT.fullmatch(value)))
