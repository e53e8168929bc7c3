"""Reading a config: recipes by name, overrides, and the ``{name}`` placeholders.

Placeholders. A string anywhere in a config may hold ``{name}``, the name of a string at the
config's top level: ``vocabulary = "{data_root}/words.safetensors"``. Placeholders are filled after
the overrides are merged, so that one ``--cfg-options data_root=DIR`` moves all that lies there. The
strings may hold placeholders themselves; two that name each other are an error. What is in braces
and names no such string stays as it is (prompt templates have ``{}`` and ``{article}``).
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
# the placeholders that say where the data are, with which another config of the same data is read
DATA_PLACEHOLDERS = (
    *("data_root", "split", "vocabulary", "cache", "train_ann", "val_ann"),
    *("images", "train_images", "val_images"),
)
# modules that configs of earlier versions import, and where they are now
MOVED_MODULES = {"ovdistill.register": "ovdistill.models.register"}


def load_config(name: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config, merge overrides into it and fill its placeholders (see above).

    Args:
        name: a config file, or the name of a shipped recipe such as 'vild_r18_shapes'.
        options: dotted keys and values, as ``--cfg-options`` gives them.

    Raises:
        UserError: no such file, options that do not fit it, or placeholders that name each other.
    """
    path = find_recipe(name)
    config = Config.fromfile(str(path), import_custom_modules=False)
    _import_custom_modules(config)
    for key in options or ():
        if key.split(".")[0] not in config:
            LOGGER.warning("--cfg-options %s: nothing of that name was in %s", key, path)
    try:
        config.merge_from_dict(dict(options or {}))
    except (TypeError, KeyError) as error:
        given = " ".join(f"{key}={value}" for key, value in (options or {}).items())
        raise UserError(f"--cfg-options {given} do not fit {path}: {error}") from error
    strings = {key: value for key, value in config.items() if isinstance(value, str)}
    return Config(_filled(config.to_dict(), _resolve(strings)), filename=config.filename)


def placeholder_values(config: Config) -> dict[str, str]:
    """Return the values that another config of the same data is to be read with."""
    return {name: config[name] for name in DATA_PLACEHOLDERS if name in config}


def pattern_of(names: Mapping[str, str]) -> re.Pattern[str]:
    """Return the pattern of the placeholders of these names."""
    return re.compile("{(" + "|".join(map(re.escape, names)) + ")}")


def _resolve(strings: Mapping[str, str]) -> dict[str, str]:
    """Fill the placeholders in the strings that placeholders name.

    Raises:
        UserError: a string that, by whatever way, names itself.
    """
    if not strings:
        return {}
    pattern = pattern_of(strings)
    done: dict[str, str] = {}

    def value_of(name: str, open_names: tuple[str, ...]) -> str:
        if name in open_names:
            circle = " -> ".join((*open_names[open_names.index(name) :], name))
            raise UserError(f"placeholders of the config name each other: {circle}")
        if name not in done:
            inside = (*open_names, name)
            done[name] = pattern.sub(lambda match: value_of(match[1], inside), strings[name])
        return done[name]

    return {name: value_of(name, ()) for name in strings}


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    """Fill the placeholders in every string of nested plain values."""
    if isinstance(value, str):
        return pattern_of(names).sub(lambda match: names[match[1]], value) if names else value
    if isinstance(value, Mapping):
        return {key: _filled(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_filled(item, names) for item in value)
    return value


def _import_custom_modules(config: Config) -> None:
    """Import what ``custom_imports`` names, which registers the components of the config.

    Raises:
        UserError: a module cannot be imported.
    """
    custom = config.get("custom_imports")
    if not custom:
        return
    names = [MOVED_MODULES.get(name, name) for name in custom["imports"]]
    try:
        import_modules_from_strings(names, bool(custom.get("allow_failed_imports", False)))
    except ImportError as error:
        raise UserError(f"custom_imports of the config cannot be imported: {error}") from error
