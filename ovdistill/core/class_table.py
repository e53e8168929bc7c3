"""Tables of classes that a config names, to which users add classes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ovdistill.core.argument_types import check_arguments
from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean

T = TypeVar("T", bound=type)


def add_class(table: dict[str, Any], added: T, kind: str, name: str | None = None) -> T:
    """Add a class to a table under a name.

    Args:
        table: of the classes that are known; changed.
        added: the class.
        kind: what the classes of the table are, with an article: "a teacher".
        name: the name; None for that of the class.

    Returns:
        The class, unchanged.

    Raises:
        ValueError: another module has added a class of this name.
    """
    name = added.__name__ if name is None else name
    known = table.get(name)
    if known is not None and known.__module__ != added.__module__:
        raise ValueError(f"{kind} {name!r} is registered by {known.__module__} already")
    table[name] = added
    return added


def build_named(table: Mapping[str, Any], options: Any, kind: str, hint: str = "") -> Any:
    """Build the class of a table that a config names.

    Args:
        table: of the classes that are known.
        options: ``type``, the name of a class, and the class's arguments.
        kind: what the classes of the table are: "training objective".
        hint: how a class is added to the table.

    Raises:
        UserError: no mapping, no such type, or arguments that the class does not take or that are
            of another type; see the class for others.
    """
    if not isinstance(options, Mapping):
        raise UserError(f"{kind} {options!r:.100}; expected dict(type=..., ...)")
    arguments = dict(options)
    name = arguments.pop("type", None)
    if name not in table:
        known = f"expected one of: {', '.join(sorted(table))}."
        text = f"no {kind} {name!r}; {did_you_mean(str(name), table, known)} {hint}"
        raise UserError(text.strip())
    check_arguments(table[name], arguments, f"{kind} {name}")
    try:
        return table[name](**arguments)
    except (TypeError, ValueError) as error:
        raise UserError(f"{kind} {name} with {arguments}: {error}") from error
