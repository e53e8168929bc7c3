"""What can be a component of a config, and which keys it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mmengine import registry as registries
from mmengine.config import Config
from mmengine.registry import Registry

SHIPPED = ("ovdistill", "mmdet", "mmcv", "mmengine", "torch", "torchvision")


def name_of(config: Config) -> str:
    """Return what messages call a config: its file."""
    return config.filename or "the config"


def registered_components() -> dict[str, list[Any]]:
    """Return the classes and functions of all registries by their names, as far as imported.

    A name may be that of several, of different kinds or of different packages.
    """
    found: dict[str, list[Any]] = {}
    for root in vars(registries).values():
        if isinstance(root, Registry):
            for registry in (root, *root.children.values()):
                for name, component in registry.module_dict.items():
                    found.setdefault(name, []).append(component)
    return found


def is_shipped(component: Callable[..., Any]) -> bool:
    """Return whether a component is of this package or of one that it builds on."""
    return str(getattr(component, "__module__", "")).split(".")[0] in SHIPPED


def keys_of(component: Callable[..., Any]) -> list[str] | None:
    """Return the names of the arguments that a component takes; None if it may take any.

    ``**kwargs`` of a class are taken to be those of the classes that it is made of.
    """
    makers = [component]
    if inspect.isclass(component):
        makers = [vars(c)["__init__"] for c in component.__mro__[:-1] if "__init__" in vars(c)]
    names: dict[str, None] = {}
    for maker in makers:
        try:
            parameters = list(inspect.signature(maker).parameters.values())
        except (TypeError, ValueError):  # of a class that is written in C
            return None
        own = parameters[1:] if inspect.isclass(component) else parameters
        names |= {p.name: None for p in own if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        rest = [p.name for p in own if p.kind is p.VAR_KEYWORD]
        if not rest:
            return list(names)
        if rest != ["kwargs"]:  # under another name they go elsewhere
            return None
    return None


def find_component(
    config: Mapping[str, Any], wanted: Mapping[str, Any], with_key: str | None = None
) -> str | None:
    """Return the dotted key of a component in a config; None if it is not there.

    Args:
        config: to be searched.
        wanted: the component as a builder got it, perhaps with values that were added since.
        with_key: a key that it must have.
    """
    keys = {key for key in wanted if key == "type" or not key.startswith("_")}
    best: tuple[int, str] | None = None
    for place, found in places(config):
        if found.get("type") != wanted.get("type") or (with_key and with_key not in found):
            continue
        different = len(keys ^ set(found))
        if best is None or different < best[0]:
            best = different, place
    return best and best[1]


def places(config: Any, place: str = "") -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield every dictionary with a ``type`` in a config, with its dotted key, outermost first."""
    if isinstance(config, Mapping):
        if "type" in config:
            yield place, config
        items: Iterable[tuple[Any, Any]] = config.items()
    elif isinstance(config, (list, tuple)):
        items = enumerate(config)
    else:
        return
    for key, value in items:
        yield from places(value, f"{place}.{key}" if place else str(key))
