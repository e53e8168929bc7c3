"""Make what a config needs, and stop before training.

    ovdistill prepare vild_r18_shapes

These are data that can be drawn, the vocabulary, the proposal network, captions and regions. What
is there already is left as it is. `ovdistill train` does the same before it trains. Everything that
cannot be made is looked for before anything begins, and all that is missing is listed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import flag, recipe_argument
from ovdistill.commands.processes import RunnerOptions, joined_processes
from ovdistill.core.recipes import find_recipe


@dataclass(frozen=True, kw_only=True)
class PrepareOptions(RunnerOptions):
    """Options of ``ovdistill prepare``."""

    config: str = recipe_argument()
    weights_only: bool = flag(
        help="download the weights that the config starts from, print their paths, and stop"
    )


def prepare(options: PrepareOptions) -> None:
    """Run the preparation steps of a config.

    Raises:
        UserError: a missing input that only the user can supply.
    """
    options.set_local_rank()
    find_recipe(options.config)  # before anything heavy is imported
    from ovdistill.extraction.needed import fetch_weights
    from ovdistill.extraction.prepare import check_config
    from ovdistill.extraction.prepare import prepare as run_steps
    from ovdistill.models.config import load_config

    config = load_config(options.config, options.overrides)
    if options.weights_only:
        check_config(config)
        print("\n".join(map(str, fetch_weights(config))) or "it starts from no weights")
        return
    with joined_processes(config, options.launcher):
        run_steps(config, for_training=config.get("train_cfg") is not None)
