"""Train an open-vocabulary detector.

    ovdistill train vild_r18_shapes
    ovdistill train my_config.py --work-dir runs/first --seed 1
    torchrun --nproc_per_node 8 -m ovdistill train vild_r50_lvis --launcher pytorch --amp

Missing inputs are made first, if they can be: data, vocabulary, proposals, regions.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

from ovdistill.commands.initial_weights import check_initial_weights, unreachable
from ovdistill.commands.options import MOST_SEED, flag, option, recipe_argument
from ovdistill.commands.processes import RunnerOptions, init_processes, leave_processes
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunnerOptions):
    """Options of ``ovdistill train``."""

    config: str = recipe_argument()
    work_dir: str | None = option(
        None, help="folder of logs and checkpoints (default: work_dirs/CONFIG)", metavar="DIR"
    )
    resume: str | None = option(
        None,
        bare_value=AUTO,
        metavar="CHECKPOINT",
        help="continue from a checkpoint; without a path, from the last one in the work dir",
    )
    auto_scale_lr: bool = flag(help="scale the learning rate by the batch size")
    amp: bool = flag(help="train with automatic mixed precision")
    seed: int = option(0, help="random seed of weights and samplers", least=0, most=MOST_SEED)
    deterministic: bool = flag(help="use deterministic algorithms only")
    prepare_only: bool = flag(help="stop before training; the same as ovdistill prepare")


def train(options: TrainOptions) -> None:
    """Make what the config needs, and train it.

    Raises:
        UserError: a config that trains nothing, or a missing input that only the user can supply.
    """
    options.set_local_rank()
    find_recipe(options.config)  # before anything heavy is imported
    from mmengine.runner import Runner

    from ovdistill.core.checkpoints import last_checkpoint
    from ovdistill.core.distributed import is_main_process
    from ovdistill.extraction.prepare import prepare

    config = training_config(options)
    init_processes(config, options.launcher)
    prepare(config)
    if options.prepare_only:
        leave_processes()
        return
    check_initial_weights(config)
    runner = Runner.from_cfg(config)
    try:
        runner.train()
    except URLError as error:
        raise unreachable(config, error) from None
    if is_main_process():
        link_last(last_checkpoint(config.work_dir))
    leave_processes()


def training_config(options: TrainOptions) -> Config:
    """Return the config with the command's options in it.

    Raises:
        UserError: a config that trains nothing or has no batch size to scale by, or a missing
            checkpoint to resume from.
    """
    from ovdistill.models.config import load_config

    config = load_config(options.config, options.overrides)
    if config.get("train_cfg") is None:
        raise UserError(
            f"{options.config} trains nothing: it tests a detector of another config, with "
            f"`ovdistill test {options.config} CHECKPOINT`."
        )
    options.apply(config)
    config.work_dir = options.work_dir or config.get(
        "work_dir", os.path.join("work_dirs", Path(options.config).stem)
    )
    config.randomness = dict(seed=options.seed, deterministic=options.deterministic)
    if options.amp:
        config.optim_wrapper.type = "AmpOptimWrapper"
        config.optim_wrapper.setdefault("loss_scale", "dynamic")
    if options.auto_scale_lr:
        if "auto_scale_lr" not in config:
            raise UserError(
                f"got --auto-scale-lr; {options.config} names no base_batch_size for it."
            )
        config.auto_scale_lr.enable = True
    if options.resume:
        resume_from(config, options.resume)
    return config


def resume_from(config: Config, checkpoint: str) -> None:
    """Let a training continue from a checkpoint.

    mmengine's own automatic resuming would continue from ``load_from``, which here are the initial
    weights of a new run.

    Args:
        config: to be changed.
        checkpoint: a file, or 'auto': the last one in the work dir, if there is one.

    Raises:
        UserError: no such file.
    """
    from ovdistill.core.checkpoints import last_checkpoint

    if checkpoint == AUTO:
        if not os.path.isfile(os.path.join(config.work_dir, "last_checkpoint")):
            return
        checkpoint = str(last_checkpoint(config.work_dir))
    if not os.path.isfile(checkpoint):
        raise UserError(f"got --resume {checkpoint}; there is no such checkpoint.")
    config.load_from = checkpoint
    config.resume = True


def link_last(checkpoint: Path) -> None:
    """Make ``last.pth`` a link to the newest checkpoint, beside it."""
    link = checkpoint.with_name("last.pth.tmp")
    link.unlink(missing_ok=True)
    link.symlink_to(checkpoint.name)
    link.replace(checkpoint.with_name("last.pth"))
