"""Check the plain arguments of a class that a config names: numbers, texts, True and False."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

from ovdistill.core.errors import UserError

MOST_SEED = 2**32 - 1  # of numpy
PLAIN = {"int", "float", "bool", "str", "None"}
NAMES = dict(int="a whole number", float="a number", bool="True or False", str="a text")


def check_arguments(built: type, arguments: Mapping[str, Any], what: str) -> None:
    """Raise UserError for an argument that is not of the plain type that its class states.

    Arguments whose annotation is anything but ``PLAIN`` types are left to the class itself.

    Args:
        built: the class; annotations of ``__init__``, its own or inherited, state the types.
        arguments: by name.
        what: what is built, for the message: "training objective MaskedImage".
    """
    stated = _annotations(built)
    for name, value in arguments.items():
        kinds = {kind.strip() for kind in stated.get(name, "").split("|")}
        if kinds <= PLAIN and not any(_fits(value, kind) for kind in kinds):
            expected = [text for kind, text in NAMES.items() if kind in kinds]
            expected += ["None"] if "None" in kinds else []
            raise UserError(f"{what}: {name} is {value!r:.100}; expected {' or '.join(expected)}")


def _annotations(built: type) -> dict[str, str]:
    """Return the annotation of every argument, as text."""
    found: dict[str, str] = {}
    for base in reversed(built.__mro__):
        if "__init__" in vars(base):
            for parameter in inspect.signature(vars(base)["__init__"]).parameters.values():
                stated = parameter.annotation
                found[parameter.name] = stated if isinstance(stated, str) else _name_of(stated)
    return found


def _name_of(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _fits(value: Any, kind: str) -> bool:
    if kind == "None":
        return value is None
    if kind == "float":
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and math.isfinite(value)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, bool if kind == "bool" else str)
