"""Make what a config needs, and stop before training.

    ovdistill prepare vild_r18_shapes

These are data that can be drawn, the vocabulary, the proposal network, captions and regions. What
is there already is left as it is. `ovdistill train` does the same before it trains.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import recipe_argument
from ovdistill.commands.processes import RunnerOptions, joined_processes
from ovdistill.core.recipes import find_recipe


@dataclass(frozen=True, kw_only=True)
class PrepareOptions(RunnerOptions):
    """Options of ``ovdistill prepare``."""

    config: str = recipe_argument()


def prepare(options: PrepareOptions) -> None:
    """Run the preparation steps of a config.

    Raises:
        UserError: a missing input that only the user can supply.
    """
    options.set_local_rank()
    find_recipe(options.config)  # before anything heavy is imported
    from ovdistill.extraction.prepare import prepare as run_steps
    from ovdistill.models.config import load_config

    config = load_config(options.config, options.overrides)
    with joined_processes(config, options.launcher):
        run_steps(config, for_training=config.get("train_cfg") is not None)
