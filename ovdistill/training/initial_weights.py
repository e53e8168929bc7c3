"""The weights that a training starts from: which they are, and whether they are available."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.core.offline import OFFLINE_VARIABLES, is_offline
from ovdistill.models.checkpoint_loaders import cache_path, fetch, find_url
from ovdistill.models.timm_weights import PREFIX, cached_timm_file, fetch_timm_file

LOAD_FROM, INIT = "load_from", "init_cfg"
# of a download: no network, a wrong address, another file than its name states
DOWNLOAD_ERRORS = (OSError, HTTPException, RuntimeError, ValueError)


def check_initial_weights(config: Config, options_key: str = "") -> None:
    """Raise UserError for initial weights that are missing and cannot be downloaded, all at once.

    Args:
        config: of the training.
        options_key: where a user overrides this config, for the message.
    """
    problems = []
    for key, name in weights_of_config(config, options_key).items():
        try:
            find_weights(name, key)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n  ".join(problems))


def weights_of_config(config: Config, options_key: str = "") -> dict[str, str]:
    """Return the weights that a training starts from: files or addresses by their dotted keys.

    Args:
        config: of the training.
        options_key: where a user overrides this config.
    """
    path = config.get(LOAD_FROM)
    parts = {f"{options_key}{LOAD_FROM}": str(path)} if path else {}
    return parts | pretrained_parts(config.get("model") or {}, f"{options_key}model")


def pretrained_parts(config: Any, key: str) -> dict[str, str]:
    """Return which weights the parts of a model start from.

    Args:
        config: of the model, or of a part of it.
        key: the dotted key of ``config``.

    Returns:
        Files or addresses by the dotted key of the ``init_cfg`` that names them, or of its part.
    """
    parts: dict[str, str] = {}
    if isinstance(config, (list, tuple)):
        config = dict(enumerate(config))
    if not isinstance(config, Mapping):
        return parts
    if INIT in key.split(".") and "checkpoint" in config:
        return {key: str(config["checkpoint"])}
    for name, value in config.items():
        parts |= pretrained_parts(value, f"{key}.{name}")
    return parts


def find_weights(name: str, key: str) -> Path:
    """Return the file of initial weights, downloaded if need be and allowed.

    Args:
        name: a file, an address, or a name such as 'torchvision://resnet50'.
        key: the dotted key that names them.

    Raises:
        UserError: they are not there.
    """
    if "://" not in name:
        if not Path(name).expanduser().is_file():
            raise UserError(
                f"initial weights {name}: no such file. Run the training that makes them (the "
                f"recipe's docstring says which), or name others: {_instead(key)}"
            )
        return Path(name).expanduser()
    if name.startswith(PREFIX):
        cached = cached_timm_file(name)
        address, get = name, partial(fetch_timm_file, name)
        missing, fix = "not in the cache of the Hugging Face hub", "Name a local file"
    else:
        address = find_url(name)
        path = cache_path(address)
        cached = path if path.is_file() else None
        get = partial(fetch, address)
        missing, fix = f"no file {path}", f"Put {address} there, or name a local file"
    if cached is not None:
        return cached
    if is_offline():
        why = f"downloads are switched off ({' or '.join(OFFLINE_VARIABLES)} is set)"
    else:
        try:
            return get()
        except DOWNLOAD_ERRORS as error:
            why = f"{address} cannot be fetched ({getattr(error, 'reason', error)})"
    raise UserError(f"initial weights {name}: {missing}, and {why}. {fix}: {_instead(key)}")


def _instead(key: str) -> str:
    """Return the options that name other weights, or none."""
    if key.endswith(LOAD_FROM):
        return f"--cfg-options {key}=PATH"
    whole = key.partition(INIT)[0] + INIT  # it may be a list of several
    return f"--cfg-options {key}.checkpoint=PATH, or {whole}=None to start from scratch"
