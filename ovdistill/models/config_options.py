"""Merge overrides into a config, and refuse those that would change nothing.

A config file builds its values of parts: ``region_word_head`` of a ``_base_`` file goes into
``model``, ``sampler`` into a data loader. That is done when the overrides come, so one of a part
would be taken without a word and do nothing. A key that is not found in what is read may be such a
part, which the file has changed, or a setting of a hook of the user's own: a warning.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import reduce
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from ovdistill.core.errors import UserError

LOGGER = logging.getLogger(__name__)
# keys that have had their effect when the overrides are merged
READ_BEFORE = ("_base_", "custom_imports")
# what every teacher takes, whether or not a config states it
TAKEN_BY_ALL = "teacher.crops."
# What is read of a config after it is loaded; what is in these keys counts.
READ = frozenset(
    (
        *inspect.signature(Runner).parameters,
        *("sync_bn", "model_wrapper_cfg", "find_unused_parameters"),  # the runner looks these up
        *("activation_checkpointing", "efficient_conv_bn_eval", "compile"),
        *("teacher", "prepare", "vocabulary", "regions", "test_pipeline"),
        *("dense_scale", "max_bad_images"),
        *("data", "objectives", "training", "augmentation", "held_out"),  # to train a teacher
    )
) - {"data_preprocessor"}  # a part where there is a model (below)
PIPELINE = "test_pipeline"  # what a detector does to an image; tests do the same in their loaders
TEST_LOADERS = ("val_dataloader", "test_dataloader")
MOST_PLACES = 5


def merge_options(config: Config, options: Mapping[str, Any], path: Path) -> None:
    """Merge dotted overrides into a config; warn of new names and of what may change nothing.

    One of ``test_pipeline`` changes the data loaders that hold this pipeline too.

    Args:
        config: as its file says; changed in place.
        options: values by dotted key.
        path: the file, for messages.

    Raises:
        UserError: an option does not fit the config, or is of a part that is found in its values.
    """
    # a copy: mmengine takes _delete_ out of what it merges, and the caller may merge it again
    options = deepcopy(dict(options))
    try:
        for key in options:
            _check_key(key)
            _check_is_read(config, key, path)
            if not _has_place(config, key):
                LOGGER.warning("--cfg-options %s: nothing of that name was in %s", key, path)
        # before the others, which may give a loader as a whole
        config.merge_from_dict(_of_loaders(config, options, path))
        config.merge_from_dict(options)
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
    """Raise UserError for a dotted key of a part, with the keys of what was built of it.

    Where the part is not found as a whole, warn.
    """
    first, *rest = key.split(".")
    if first not in config or _is_read(config, first):
        return
    places = _places_of(config, first, rest)
    shown = " or ".join(places[:MOST_PLACES])
    if len(places) > MOST_PLACES:
        shown += f", or others ({len(places)} in all)"
    if _is_within(config, config[first]):
        raise UserError(
            f"got --cfg-options {key}=...; {first} of {path} is a part that other values were "
            f"built of, and nothing reads it again; expected {shown or 'a key of these values'}"
        )
    LOGGER.warning(
        "--cfg-options %s: values that were built of %s while %s was read stay as they are%s",
        key,
        first,
        path,
        f"; to change these: {shown}" if shown else "",
    )


def _is_read(config: Config, first: str) -> bool:
    """Return whether something is known to read what a config has at its top level under a key."""
    if first == "data_preprocessor":  # the runner takes it for a model that has none
        return first not in (config.get("model") or {})
    # a placeholder may have no text yet
    return first in READ or f"{{{first}}}" in str(config.to_dict())


def _is_within(config: Config, value: Any) -> bool:
    """Return whether a value, or each mapping in a list of them, is found in what is read."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        return all(_is_within(config, item) for item in value)
    return bool(_places_in_read(config, value))


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
        if places := _places_in_read(config, value):
            return [".".join((place, *rest[depth:])) for place in places]
        try:
            value = _inside(value, rest[depth])
        except LookupError:  # also where no key is left
            break
    return _place_of_name(config, first, rest)


def _place_of_name(config: Config, first: str, rest: list[str]) -> list[str]:
    """Return the key of the model that is called as a part, with the rest if it has that value."""
    model = config.get("model")
    if not isinstance(model, Mapping) or first not in model:
        return []
    try:
        same = reduce(_inside, rest, config[first]) == reduce(_inside, rest, model[first])
    except LookupError:
        same = False
    return [".".join(("model", first, *(rest if same else ())))]


def _places_in_read(config: Config, value: Any) -> list[str]:
    """Return where a value is in what is read; nowhere if it may be there by chance."""
    if not isinstance(value, Mapping) and not (isinstance(value, (list, tuple)) and value[1:]):
        return []
    return [place for key in config if key in READ for place in _copies(config[key], value, key)]


def _copies(tree: Any, value: Any, place: str) -> Iterator[str]:
    """Yield the dotted keys of a tree where a value is, or a mapping with all that it has.

    A mapping with a single key is found only where it is alone; an empty one nowhere.

    Args:
        tree: values in mappings and lists.
        value: a mapping or a list.
        place: dotted key of the tree.
    """
    if not value:
        return
    if tree == value or (
        isinstance(tree, Mapping)
        and isinstance(value, Mapping)
        and len(value) > 1
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
    try:
        reduce(_inside, rest[:-1], config[first])
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
