"""What is said of a component of a config that cannot be made, whoever notices it.

Each function returns one line: where, what was got, the nearest names that are known, what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ovdistill.core.text import did_you_mean
from ovdistill.models.components import keys_of, registered_components

OWN_MODULE = "a component of your own needs its module in custom_imports"


def unknown_type(place: str, name: str) -> str:
    """Describe a type that nothing registers.

    Args:
        place: the config's file and the dotted key of the component.
        name: its type.
    """
    hint = did_you_mean(name.split(".")[-1], registered_components(), OWN_MODULE)
    return f"{place}: got type={name!r}, which nothing registers: {hint}"


def unknown_key(place: str, component: Callable[..., Any], key: str, given: Collection[str]) -> str:
    """Describe a key that a component does not take.

    Args:
        place: the config's file and the dotted key of the component.
        component: its class or function.
        key: the key that is not taken.
        given: all keys of the component in the config.
    """
    known = keys_of(component) or []
    more = ", ".join(name for name in known if name not in given)
    listed = f"it also takes {more}" if more else "it takes no other key"
    hint = did_you_mean(key, known, listed)
    return f"{place}: got {key}=..., which {component.__name__} does not take: {hint}"


def missing_keys(
    place: str, component: Callable[..., Any], missing: str, given: Mapping[str, Any]
) -> str:
    """Describe keys that a component needs and has not got.

    Args:
        place: the config's file and the dotted key of the component.
        component: its class or function.
        missing: the names, as Python lists them.
        given: the component in the config.
    """
    keys = ", ".join(key for key in given if key != "type") or "none"
    return f"{place}: {component.__name__} needs {missing}; got the keys: {keys}"
