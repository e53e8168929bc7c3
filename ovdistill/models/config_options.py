"""Merge overrides into a config, and refuse those that would change nothing.

A config file builds its values of parts: ``region_word_head`` of a ``_base_`` file goes into
``model``, ``sampler`` into a data loader. That is done when the overrides come, so one of a part
would be taken without a word and do nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovdistill.core.errors import UserError

LOGGER = logging.getLogger(__name__)
# keys that have had their effect when the overrides are merged
READ_BEFORE = ("_base_", "custom_imports")
# what every teacher takes, whether or not a config states it
TAKEN_BY_ALL = "teacher.crops."
# All that commands and mmengine's runner read of a config, beside its texts: those are placeholders
# or settings. Whatever else a config has at its top level is a part.
READ = frozenset(
    """
    model teacher prepare vocabulary test_pipeline dense_scale max_bad_images load_from resume
    train_dataloader val_dataloader test_dataloader train_cfg val_cfg test_cfg
    val_evaluator test_evaluator optim_wrapper param_scheduler auto_scale_lr randomness
    default_hooks custom_hooks default_scope env_cfg visualizer log_processor log_level
    work_dir experiment_name model_wrapper_cfg sync_bn find_unused_parameters
    activation_checkpointing efficient_conv_bn_eval compile
    data objectives training augmentation held_out
    """.split()  # the last line is read of a teacher's training
)
PIPELINE = "test_pipeline"  # what a detector does to an image; tests do the same in their loaders
TEST_LOADERS = ("val_dataloader", "test_dataloader")
MOST_PLACES = 5


def merge_options(config: Config, options: Mapping[str, Any], path: Path) -> None:
    """Merge dotted overrides into a config, and warn about those of a new name.

    One of ``test_pipeline`` changes the data loaders that hold this pipeline too.

    Args:
        config: as its file says; changed in place.
        options: values by dotted key.
        path: the file, for messages.

    Raises:
        UserError: an option does not fit the config, or is of a part.
    """
    # a copy: mmengine takes _delete_ out of what it merges, and the caller may merge it again
    options = deepcopy(dict(options))
    try:
        for key in options:
            _check_key(key)
            _check_is_read(config, key, path)
            if not _has_place(config, key):
                LOGGER.warning("--cfg-options %s: nothing of that name was in %s", key, path)
        config.merge_from_dict({**_of_loaders(config, options, path), **options})
    # what mmengine raises where a key goes into a number, or past the end of a list
    except (TypeError, KeyError, AttributeError, IndexError, ValueError) as error:
        given = " ".join(f"{key}={value}" for key, value in options.items())
        raise UserError(
            f"--cfg-options {given[:500]} do not fit {path}: {str(error)[:500]}"
        ) from error


def _check_key(key: str) -> None:
    """Raise UserError for a dotted key with an empty part, or one that loading has passed."""
    parts = key.split(".")
    if not all(parts):
        raise UserError(f"got --cfg-options {key}=...; expected names with single dots between")
    if parts[0] in READ_BEFORE:
        raise UserError(
            f"got --cfg-options {key}=...; {parts[0]} is read before the options: write it in the "
            "config."
        )


def _check_is_read(config: Config, key: str, path: Path) -> None:
    """Raise UserError for a dotted key of a part, with the keys of what was built of it."""
    first, *rest = key.split(".")
    if first not in config or _is_read(config, first):
        return
    places = _places_of(config, first, rest)
    shown = " or ".join(places[:MOST_PLACES]) or "a key of what it went into"
    raise UserError(
        f"got --cfg-options {key}=...; {first} of {path} is a part that other values were built "
        f"of, and nothing reads it again; expected {shown}"
        + (f", or others ({len(places)} in all)" if len(places) > MOST_PLACES else "")
    )


def _is_read(config: Config, first: str) -> bool:
    """Return whether anything reads what a config has under a key at its top level."""
    if first == "data_preprocessor":  # the runner takes it for a model that has none
        return first not in (config.get("model") or {})
    if first in READ or isinstance(config[first], str):
        return True
    return f"{{{first}}}" in str(config.to_dict())  # a placeholder that has no text yet


def _places_of(config: Config, first: str, rest: list[str]) -> list[str]:
    """Return the dotted keys that an override of a part is probably meant for.

    Where the part as a whole is nowhere, because the file has changed it, what is in it may be.

    Args:
        config: before the override.
        first: name of the part.
        rest: the keys that follow it.
    """
    value = config[first]
    for depth in range(len(rest) + 1):
        if not isinstance(value, (Mapping, list, tuple)) or not value:
            break
        if places := [
            ".".join((place, *rest[depth:]))
            for key in config
            if key in READ
            for place in _copies(config[key], value, key)
        ]:
            return places
        try:
            value = _inside(value, rest[depth])
        except LookupError:  # also where no key is left
            break
    return [".".join(("model", first, *rest))] if first in (config.get("model") or {}) else []


def _copies(tree: Any, value: Any, place: str) -> Iterator[str]:
    """Yield the dotted keys of a tree where a value is, or a mapping with all that it has.

    Args:
        tree: values in mappings and lists.
        value: a mapping or a list.
        place: dotted key of the tree.
    """
    if tree == value or (
        isinstance(tree, Mapping)
        and isinstance(value, Mapping)
        and all(key in tree and tree[key] == value[key] for key in value)
    ):
        yield place
    elif isinstance(tree, Mapping):
        for key in tree:
            yield from _copies(tree[key], value, f"{place}.{key}")
    elif isinstance(tree, (list, tuple)):
        for index, item in enumerate(tree):
            yield from _copies(item, value, f"{place}.{index}")


def _of_loaders(config: Config, options: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the overrides that change the loaders of tests as others change ``test_pipeline``."""
    given = {
        key.removeprefix(PIPELINE): value
        for key, value in options.items()
        if key.split(".")[0] == PIPELINE
    }
    found: dict[str, Any] = {}
    for loader in TEST_LOADERS:
        if not given or not config.get(PIPELINE) or not config.get(loader):
            continue
        places = [*_copies(config[loader], config[PIPELINE], loader)]
        if not places:
            LOGGER.warning(
                "--cfg-options %s: %s of %s has a pipeline of its own, which stays as it is",
                PIPELINE,
                loader,
                path,
            )
        found |= {place + key: deepcopy(value) for place in places for key, value in given.items()}
    return found


def _has_place(config: Config, key: str) -> bool:
    """Return True if all that a dotted key goes through is there; its last part may be new."""
    if key.startswith(TAKEN_BY_ALL):
        return True
    first, *rest = key.split(".")
    if first not in config:
        return first in READ
    value: Any = config[first]
    try:
        for part in rest[:-1]:
            value = _inside(value, part)
    except LookupError:
        return False
    return True


def _inside(value: Any, part: str) -> Any:
    """Return what is in a mapping or a list under a part of a dotted key.

    Raises:
        LookupError: nothing is.
    """
    if isinstance(value, Mapping) and part in value:
        return value[part]
    if isinstance(value, (list, tuple)) and part.isdecimal() and len(part) < 10:
        return value[int(part)]
    raise KeyError(part)
