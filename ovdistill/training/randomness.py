"""What the random numbers of a training are drawn with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.errors import UserError
from ovdistill.models.components import name_of

DEFAULTS = dict(seed=0, deterministic=False)
KEYS = (*DEFAULTS, "diff_rank_seed")  # what mmengine's runner takes


def randomness_of(config: Config, seed: int | None = None) -> dict[str, Any]:
    """Return the ``randomness`` of a config, with the defaults where it says nothing.

    Args:
        config: of a training.
        seed: goes before the config's, unless it is None.

    Returns:
        ``seed``, where None is another one each time, ``deterministic``, and perhaps
        ``diff_rank_seed``.

    Raises:
        UserError: the config has something else there.
    """
    given = config.get("randomness") or {}
    if not isinstance(given, Mapping) or set(given) - {*KEYS}:
        raise UserError(
            f"{name_of(config)}, randomness: got {given!r:.100}; expected some of {', '.join(KEYS)}"
        )
    found = {**DEFAULTS, **given, **({} if seed is None else {"seed": seed})}
    number = found["seed"]
    if number is not None and not (type(number) is int and 0 <= number <= MOST_SEED):
        raise UserError(
            f"{name_of(config)}, randomness.seed: got {number!r:.100}; expected a whole number "
            f"from 0 to {MOST_SEED}, or None"
        )
    return found
