"""Find numbers of a config that would end a training only after its first steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.models.components import name_of

NEVER = "a number above that of all iterations switches validation off"
# whole numbers of at least 1, by their dotted keys, and what else to say of them
COUNTS = {
    "train_cfg.max_iters": "",
    "train_cfg.max_epochs": "",
    "train_cfg.val_interval": NEVER,
    "train_dataloader.batch_size": "",
    "optim_wrapper.accumulative_counts": "",
    "auto_scale_lr.base_batch_size": "",
}
# numbers above 0
POSITIVE = ("optim_wrapper.clip_grad.max_norm", "optim_wrapper.clip_grad.clip_value")


def check_numbers(config: Config) -> None:
    """Raise UserError for lengths and limits of a training that cannot be, all in one message.

    Args:
        config: from ``load_config``. Keys that it does not have are not looked at.
    """
    found = []
    for key, note in COUNTS.items():
        value = _value(config, key)
        if value is not None and not (type(value) is int and value >= 1):
            expected = f"a whole number of at least 1{note and f' ({note})'}"
            found.append(f"{name_of(config)}, {key}: got {value!r:.100}; expected {expected}")
    for key in POSITIVE:
        value = _value(config, key)
        if value is not None and not (type(value) in (int, float) and 0 < value < math.inf):
            found.append(f"{name_of(config)}, {key}: got {value!r:.100}; expected a number above 0")
    if found:
        raise UserError("\n  ".join(found))


def _value(config: Any, key: str) -> Any:
    """Return what a config has under a dotted key, or None."""
    for part in key.split("."):
        config = config.get(part) if isinstance(config, Mapping | Config) else None
    return config
