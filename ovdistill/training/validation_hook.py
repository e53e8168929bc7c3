"""The hook that keeps validation from changing what the training draws at random."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from ovdistill.training.generators import States, generator_states, set_generators


@HOOKS.register_module()
class KeepGenerators(Hook):
    """Sets the random generators back after a validation.

    So a run that is resumed from a checkpoint written at a validation, which it does not repeat, is
    the uninterrupted run, and how often a run is validated does not change its weights.
    """

    priority = "VERY_HIGH"

    def before_val_epoch(self, runner: Any) -> None:
        """Keep the states."""
        self._states: States = generator_states()

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Set them again."""
        set_generators(self._states)
