"""The weights that a training starts from: which they are, and whether they are available."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.core.offline import is_offline
from ovdistill.models.checkpoint_loaders import is_cached


def check_initial_weights(config: Config, options_key: str = "") -> None:
    """Raise UserError for initial weights that are missing and cannot be downloaded.

    Args:
        config: of the training.
        options_key: where a user overrides this config, for the message.
    """
    path = config.get("load_from")
    if path and "://" not in path and not os.path.isfile(path):
        raise UserError(
            f"no initial weights {path}. {Path(str(config.filename)).name} starts from them: run "
            "the training that makes them (its docstring says which), or name others with "
            f"--cfg-options {options_key}load_from=PATH."
        )
    for key, name in pretrained_parts(config.get("model", {}), f"{options_key}model").items():
        if is_offline() and "://" in name and not is_cached(name):
            raise UserError(
                f"the initial weights {name} are not in the cache and downloads are switched off. "
                f"Name a local file with --cfg-options {key}.checkpoint=PATH, or start from "
                f"scratch with {key}=None."
            )


def pretrained_parts(config: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return which weights the parts of a model start from.

    Args:
        config: of the model.
        key: the dotted key of ``config``.

    Returns:
        Files or URLs by the dotted key of the ``init_cfg`` that names them.
    """
    parts: dict[str, str] = {}
    for name, value in config.items():
        if name == "init_cfg" and isinstance(value, Mapping) and "checkpoint" in value:
            parts[f"{key}.{name}"] = value["checkpoint"]
        elif isinstance(value, Mapping):
            parts |= pretrained_parts(value, f"{key}.{name}")
    return parts


def unreachable(config: Config, error: URLError, options_key: str = "") -> UserError:
    """Return the error to raise for initial weights that could not be downloaded."""
    parts = pretrained_parts(config.model, f"{options_key}model")
    return UserError(
        f"the initial weights {', '.join(sorted(set(parts.values())))} cannot be fetched "
        f"({error.reason}). Name a local file with --cfg-options "
        f"{' '.join(f'{key}.checkpoint=PATH' for key in parts)}, or start from scratch with "
        f"{' '.join(f'{key}=None' for key in parts)}."
    )
