"""What a resumed run takes from its checkpoint although its config says otherwise.

An optimizer and its schedulers are continued with the settings that their states hold, so an
option such as ``optim_wrapper.optimizer.lr`` that was changed in between does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

COUNTERS = ("last_step", "base_values")  # of a scheduler; others begin with an underscore
GROUP_STATE = ("params", "lr", "initial_lr")  # of a group; its rate is read apart
Settings = Mapping[str, Any]


def settings_in_use(runner: Runner) -> tuple[Settings, list[Settings]]:
    """Return the settings of a runner's optimizer and of each of its schedulers.

    Args:
        runner: with optimizer and schedulers built. Several optimizers are not looked at.

    Returns:
        Of the optimizer: for each setting the values that its groups of parameters have. Of a
        scheduler: its settings, without what it counts.
    """
    wrapper, schedulers = runner.optim_wrapper, runner.param_schedulers
    if not isinstance(wrapper, OptimWrapper) or not isinstance(schedulers, list | None):
        return {}, []
    groups = wrapper.param_groups
    values = {"lr": _distinct(group.get("initial_lr", group["lr"]) for group in groups)}
    for key in {key for group in groups for key in group}.difference(GROUP_STATE):
        values[key] = _distinct(group.get(key) for group in groups)
    states = [scheduler.state_dict() for scheduler in schedulers or []]
    return values, [
        {key: v for key, v in state.items() if key[0] != "_" and key not in COUNTERS}
        for state in states
    ]


def differences(
    config: tuple[Settings, list[Settings]], checkpoint: tuple[Settings, list[Settings]]
) -> list[str]:
    """Return what differs between the settings of a config and those that a checkpoint brought.

    Args:
        config: ``settings_in_use`` before the checkpoint was read.
        checkpoint: the same after that.

    Returns:
        Texts such as 'lr 0.02, not 0.01': first what counts, then what the config says.
    """
    found = _changed("", config[0], checkpoint[0])
    for number, (said, used) in enumerate(zip(config[1], checkpoint[1], strict=True)):
        found += _changed(f"param_scheduler.{number}.", said, used)
    return found


def _changed(prefix: str, said: Settings, used: Settings) -> list[str]:
    both = sorted(said.keys() & used.keys())
    return [f"{prefix}{k} {used[k]}, not {said[k]}" for k in both if said[k] != used[k]]


def _distinct(values: Any) -> Any:
    """Return the different values in order, or the only one."""
    found = list(dict.fromkeys(map(_comparable, values)))
    return found[0] if len(found) == 1 else tuple(found)


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
