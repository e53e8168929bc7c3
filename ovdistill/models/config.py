"""Reading a config: recipes by name, overrides, and the ``{name}`` placeholders.

Placeholders. A string anywhere in a config may hold ``{name}``, where ``name`` is a key at the
config's top level whose value is a string: ``vocabulary = "{data_root}/vocabulary.safetensors"``.
Placeholders are filled after the overrides are merged, so that one ``--cfg-options data_root=DIR``
moves everything that is below it. The value may hold placeholders itself; values that name each
other in a circle are an error. Braces around anything else stay as they are (prompt templates have
``{}`` and ``{article}``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

LOGGER = logging.getLogger(__name__)
# the placeholders that say where the data are; another config of the same data is read with them
DATA_PLACEHOLDERS = (
    *("data_root", "split", "vocabulary", "cache", "train_ann", "val_ann"),
    *("images", "train_images", "val_images"),
)
# modules that configs of earlier versions import, and where they are now
MOVED_MODULES = {"ovdistill.register": "ovdistill.models.register"}


def load_config(
    name: str | Path,
    options: Mapping[str, Any] | None = None,
    placeholders: Mapping[str, str] | None = None,
) -> Config:
    """Read a config, merge overrides into it and fill its placeholders (see above).

    The modules that its ``custom_imports`` names are imported, which registers its components.

    Args:
        name: a config file, or the name of a shipped recipe such as 'vild_r18_shapes'.
        options: dotted keys and values, as ``--cfg-options`` gives them.
        placeholders: the ``placeholder_values`` of another config of the same data. Those that this
            config does not have are left out.

    Raises:
        UserError: there is no such file, a module of ``custom_imports`` cannot be imported, the
            options do not fit, or placeholders name each other in a circle.
    """
    path = find_recipe(name)
    config = Config.fromfile(str(path), import_custom_modules=False)
    _import_custom_modules(config, path)
    config.merge_from_dict({k: v for k, v in (placeholders or {}).items() if k in config})
    _merge_options(config, dict(options or {}), path)
    return Config(fill_placeholders(config.to_dict()), filename=config.filename)


def placeholder_values(config: Config) -> dict[str, str]:
    """Return the values with which another config of the same data is to be read."""
    return {name: config[name] for name in DATA_PLACEHOLDERS if name in config}


def fill_placeholders(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a config, a tree of plain values, with the placeholders filled (see above).

    Raises:
        UserError: placeholders name each other in a circle.
    """
    strings = {key: value for key, value in config.items() if isinstance(value, str)}
    if not strings:
        return dict(config)
    pattern = re.compile("{(" + "|".join(map(re.escape, strings)) + ")}")

    def fill(value: Any, inside: tuple[str, ...] = ()) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda match: look_up(match[1], inside), value)
        if isinstance(value, Mapping):
            return {key: fill(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(fill(item) for item in value)
        return value

    def look_up(name: str, inside: tuple[str, ...]) -> str:
        if name in inside:
            circle = " -> ".join((*inside[inside.index(name) :], name))
            raise UserError(
                f"placeholders of the config name each other: {circle}. Give one of them a value "
                "without placeholders, e.g. with --cfg-options."
            )
        return fill(strings[name], (*inside, name))

    return fill(config)


def _merge_options(config: Config, options: dict[str, Any], path: Path) -> None:
    """Merge dotted overrides into a config, and warn about those of a new name.

    Raises:
        UserError: an option does not fit the config.
    """
    for key in options:
        if not _has_place(config, key):
            LOGGER.warning("--cfg-options %s: nothing of that name was in %s", key, path)
    try:
        config.merge_from_dict(options)
    except (TypeError, KeyError) as error:
        given = " ".join(f"{key}={value}" for key, value in options.items())
        raise UserError(f"--cfg-options {given} do not fit {path}: {error}") from error


def _has_place(config: Config, key: str) -> bool:
    """Return True if all that a dotted key goes through is there; its last part may be new."""
    first, *rest = key.split(".")
    if first not in config:
        return False
    value: Any = config[first]
    for part in rest[:-1]:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, (list, tuple)) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return False
    return True


def _import_custom_modules(config: Config, path: Path) -> None:
    """Import the modules that ``custom_imports`` names, moved ones from their new place.

    Raises:
        UserError: a module cannot be imported.
    """
    custom = config.get("custom_imports")
    if not custom:
        return
    names = custom["imports"]
    names = [names] if isinstance(names, str) else names
    names = [MOVED_MODULES.get(name, name) for name in names]
    try:
        import_modules_from_strings(names, custom.get("allow_failed_imports", False))
    except ImportError as error:
        # mmengine names the module; what is wrong with it is in the error that it caught
        raise UserError(
            f"custom_imports of {path}: {error} ({error.__context__}). Expected modules that "
            "Python can import; those of your own need their folder in PYTHONPATH."
        ) from error
