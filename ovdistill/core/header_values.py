"""Check the types of values that a file's header states, before anything relies on them.

Every function raises ValueError with the problem; the readers add the file and what fixes it.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

MOST = 10**9  # of anything that is counted: images, shards, regions of a shard


class Kind(NamedTuple):
    """A kind of values.

    Attributes:
        description: what they are, for messages.
        fits: returns True for a value of this kind.
    """

    description: str
    fits: Callable[[Any], bool]


TEXT = Kind("a text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
COUNT = Kind(f"a number from 0 to {MOST}", lambda value: type(value) is int and 0 <= value <= MOST)
SIZE = Kind(f"a number from 1 to {MOST}", lambda value: type(value) is int and 1 <= value <= MOST)
INTEGER = Kind("a whole number", lambda value: type(value) is int and -(2**63) <= value < 2**63)
OBJECT = Kind("an object", lambda value: isinstance(value, dict))


def list_of(kind: Kind) -> Kind:
    """Return the kind of lists whose values are of a kind."""
    return Kind(
        f"a list, each {kind.description}",
        lambda value: isinstance(value, list) and all(map(kind.fits, value)),
    )


def optional(kind: Kind) -> Kind:
    """Return the kind of values that are None or of a kind."""
    return Kind(f"{kind.description} or null", lambda value: value is None or kind.fits(value))


def expect(values: Mapping[str, Any], key: str, kind: Kind) -> Any:
    """Return a value of a header.

    Raises:
        ValueError: there is none, or it is of another kind.
    """
    if key not in values:
        raise ValueError(f"it has no {key!r}")
    value = values[key]
    if not kind.fits(value):
        raise ValueError(f"{key!r} is {reprlib.repr(value)}; expected {kind.description}")
    return value
