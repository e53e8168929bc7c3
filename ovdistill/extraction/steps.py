"""The steps of a config's ``prepare``: their options are the arguments of functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean
from ovdistill.models.component_slips import missing_keys, unknown_key
from ovdistill.models.components import name_of

T = TypeVar("T")


def check_steps(config: Config, steps: Mapping[str, Callable[..., Any]]) -> None:
    """Raise UserError for steps of ``config.prepare`` that do not exist, or whose options do not.

    Args:
        config: the config.
        steps: the functions of all steps, by their keys in ``config.prepare``.
    """
    given = config.get("prepare", {})
    if not isinstance(given, Mapping):
        raise UserError(f"{name_of(config)}: got prepare = {given!r}; expected a dict of steps")
    for name in given:
        if name not in steps:
            hint = did_you_mean(name, steps, f"expected {', '.join(steps)}")
            raise UserError(f"{name_of(config)}, prepare: there is no step {name!r}: {hint}")
        options_of(config, name, steps[name])


def run_step(config: Config, name: str, step: Callable[..., T]) -> T | None:
    """Run a step with its options in ``config.prepare``; do nothing if it has none.

    Args:
        config: the config.
        name: key of the step in ``config.prepare``.
        step: called with the config and the options as keyword arguments.

    Returns:
        What the step returns; None if it has no options.

    Raises:
        UserError: unknown or missing options, or an error of the step.
    """
    options = options_of(config, name, step)
    return step(config, **options) if options else None


def options_of(config: Config, name: str, step: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the options of a step, see ``run_step``; none for a step that is not to be made.

    Raises:
        UserError: unknown or missing options.
    """
    options = config.get("prepare", {}).get(name)
    if not options:
        return {}
    place = f"{name_of(config)}, prepare.{name}"
    if not isinstance(options, Mapping):
        raise UserError(f"{place}: got {options!r}; expected a dict, or None for no such step")
    first, *parameters = inspect.signature(step).parameters.values()
    names = [parameter.name for parameter in parameters]
    for key in options:
        if key not in names:
            raise UserError(unknown_key(place, step, key, [*options, first.name]))
    needed = [p.name for p in parameters if p.default is p.empty]
    if missing := [key for key in needed if key not in options]:
        raise UserError(missing_keys(place, step, ", ".join(missing), options))
    return options
