"""The settings of a training, checked before anything is built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean

PRECISIONS = ("fp32", "bf16")
# may change when a run goes on: its weights do not depend on them
WITHOUT_EFFECT = (
    *("workers", "log_every", "checkpoint_every", "keep_checkpoints", "max_bad_images"),
    "half_weights",
)


@dataclass(frozen=True)
class TrainingSettings:
    """The numbers of a training: the config's ``training``.

    Attributes:
        steps: optimiser steps.
        batch: pairs of a step in each process.
        part: pairs that are encoded at once; None: all of them. Less memory, more time.
        learning_rate: the highest one, after the warm-up.
        weight_decay: of AdamW, on matrices only.
        betas: of AdamW.
        warm_up: steps in which the rate rises, at most a quarter of all.
        clip_norm: largest norm of the gradient of all weights; None: any.
        precision: of the towers: 'fp32', or 'bf16' where torch's autocast takes it.
        seed: of weights, order and augmentation.
        workers: processes that load images, beside each training one.
        log_every: steps between two lines.
        checkpoint_every: steps between two checkpoints, and between two measurements.
        keep_checkpoints: how many checkpoints stay.
        max_bad_images: images that may be missing or damaged; they are skipped and listed.
        half_weights: write the result's matrices in float16.

    Raises:
        UserError: a value that is not possible.
    """

    steps: int
    batch: int
    part: int | None = None
    learning_rate: float = 5e-4
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.98)
    warm_up: int = 500
    clip_norm: float | None = 1.0
    precision: str = "fp32"
    seed: int = 0
    workers: int = 2
    log_every: int = 20
    checkpoint_every: int = 500
    keep_checkpoints: int = 2
    max_bad_images: int = 0
    half_weights: bool = False

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            if (value is not None or name != "part") and (type(value) is not int or value < least):
                raise UserError(
                    f"training.{name} is {value!r}; expected a whole number of {least} or more"
                )
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            if (value is not None or name != "clip_norm") and not (_is_number(value) and value > 0):
                raise UserError(f"training.{name} is {value!r}; expected a number above 0")
        if not _is_number(self.weight_decay) or self.weight_decay < 0:
            raise UserError(
                f"training.weight_decay is {self.weight_decay!r}; expected a number of 0 or more"
            )
        if self.seed > MOST_SEED:
            raise UserError(f"training.seed is {self.seed}; expected at most {MOST_SEED}")
        if not isinstance(self.half_weights, bool):
            raise UserError(
                f"training.half_weights is {self.half_weights!r}; expected True or False"
            )
        if len(self.betas) != 2 or not all(_is_number(b) and 0 <= b < 1 for b in self.betas):
            raise UserError(
                f"training.betas is {self.betas!r}; expected two numbers from 0, below 1"
            )
        if self.precision not in PRECISIONS:
            expected = " or ".join(PRECISIONS)
            raise UserError(f"training.precision is {self.precision!r}; expected {expected}")
        if self.part is not None and self.batch % self.part:
            raise UserError(
                f"training.batch {self.batch} is no multiple of training.part {self.part}; "
                "expected parts of equal size"
            )

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> TrainingSettings:
        """Make the settings of a config.

        Raises:
            UserError: ``steps`` or ``batch`` is missing, or a name that nothing reads.
        """
        if not isinstance(options, Mapping):
            raise UserError(
                f"training is {options!r:.100}; expected dict(steps=..., batch=..., ...)"
            )
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                hint = did_you_mean(name, known, f"expected {', '.join(known)}")
                raise UserError(f"training.{name} is read by nothing; {hint}")
        if missing := [name for name in ("steps", "batch") if name not in options]:
            raise UserError(f"training has no {' and no '.join(missing)}; expected both numbers")
        values = dict(options)
        betas = values.get("betas", ())
        if isinstance(betas, list):
            values["betas"] = tuple(betas)
        elif not isinstance(betas, tuple):
            raise UserError(f"training.betas is {betas!r}; expected two numbers from 0, below 1")
        return cls(**values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


LEAST = dict(
    steps=1,
    batch=1,
    part=1,
    warm_up=0,
    seed=0,
    workers=0,
    log_every=1,
    checkpoint_every=1,
    keep_checkpoints=1,
    max_bad_images=0,
)
