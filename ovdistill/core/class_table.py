"""Tables of classes that a config names, to which users add classes of their own."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T", bound=type)


def add_class(table: dict[str, Any], added: T, kind: str) -> T:
    """Add a class to a table under its name.

    Args:
        table: of the classes that are known; changed.
        added: the class.
        kind: what the classes of the table are, with an article: "a teacher".

    Returns:
        The class, unchanged.

    Raises:
        ValueError: another module has added a class of this name.
    """
    name = added.__name__
    known = table.get(name)
    if known is not None and known.__module__ != added.__module__:
        raise ValueError(f"{kind} {name!r} is registered by {known.__module__} already")
    table[name] = added
    return added
