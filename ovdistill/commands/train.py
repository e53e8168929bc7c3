"""Train an open-vocabulary detector.

    ovdistill train vild_r18_shapes
    ovdistill train my_config.py --work-dir runs/first --seed 1
    torchrun --nproc_per_node 8 -m ovdistill train vild_star_r50_lvis --launcher pytorch --amp
    ovdistill train continue_r18_shapes --load-from ovshapes

Missing inputs are made first, if they can be: data, vocabulary, proposals, regions.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.options import flag, option, recipe_argument
from ovdistill.commands.processes import RunnerOptions, joined_processes
from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.errors import UserError
from ovdistill.core.files import check_output_folder
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunnerOptions):
    """Options of ``ovdistill train``."""

    config: str = recipe_argument()
    work_dir: str | None = option(
        None,
        help="folder of logs and checkpoints (default: work_dirs/CONFIG)",
        metavar="DIR",
        writes="folder",
    )
    resume: str | None = option(
        None,
        bare_value="auto",
        metavar="CHECKPOINT",
        help="continue from a checkpoint; without a path, from the last one in the work dir",
    )
    load_from: str | None = option(
        None,
        metavar="DETECTOR",
        help="start from the weights of a trained detector: a checkpoint, or what `predict "
        "--model` takes; its class names may be others (default: the config's load_from)",
    )
    auto_scale_lr: bool = flag(help="scale the learning rate by the batch size")
    amp: bool = flag(help="train with mixed precision: float16 on a GPU, bfloat16 on a CPU")
    max_bad_batches: int | None = option(
        None,
        metavar="N",
        least=0,
        help="leave out up to N batches whose loss or gradient is NaN or infinite; one more ends "
        "the training with exit code 3",
    )
    seed: int | None = option(
        None,
        metavar="N",
        help="random seed of weights and samplers (default: the config's randomness.seed, else 0)",
        least=0,
        most=MOST_SEED,
    )
    deterministic: bool = flag(
        help="use deterministic algorithms only (default: the config's randomness.deterministic)"
    )
    max_bad_images: int | None = option(
        None,
        metavar="N",
        least=0,
        help="images that may be missing, damaged or of another size than annotated; they are "
        "skipped, and listed in the work dir (default: the config's max_bad_images, else 0)",
    )
    prepare_only: bool = flag(help="stop before training; the same as ovdistill prepare")


def train(options: TrainOptions) -> None:
    """Make what the config needs, and train it.

    Raises:
        UserError: a config that trains nothing, or a missing input that only the user can supply.
    """
    options.set_local_rank()
    find_recipe(options.config)  # before anything heavy is imported
    from ovdistill.extraction.prepare import prepare
    from ovdistill.training.learning_rate import warn_of_rate
    from ovdistill.training.run import alone_in, run_training

    config = training_config(options)
    check_output_folder(config.work_dir)
    with joined_processes(config, options.launcher), alone_in(config.work_dir):
        if not options.prepare_only:
            warn_of_rate(config)
        prepare(config)
        if not options.prepare_only:
            run_training(config)


def training_config(options: TrainOptions) -> Config:
    """Return the config with the command's options in it.

    Raises:
        UserError: a config that trains nothing, lacks a part of a training or has no batch size
            to scale by, a seed that cannot be, or a missing checkpoint to resume or start from.
    """
    from ovdistill.models.config import load_config
    from ovdistill.training.randomness import randomness_of
    from ovdistill.training.run import resume_from

    config = load_config(options.config, options.overrides)
    if "objectives" in config:
        raise UserError(
            f"{options.config} trains a teacher: ovdistill teacher train --config {options.config}"
        )
    if config.get("train_cfg") is None:
        raise UserError(
            f"{options.config} trains nothing: it tests a detector of another config, with "
            f"`ovdistill test {options.config} CHECKPOINT`."
        )
    if missing := [key for key in ("train_dataloader", "optim_wrapper") if not config.get(key)]:
        raise UserError(
            f"{options.config} has train_cfg, but no {' and no '.join(missing)}; expected both, as "
            "nothing can be trained without them."
        )
    options.apply(config)
    config.work_dir = options.work_dir or config.get(
        "work_dir", os.path.join("work_dirs", Path(options.config).stem)
    )
    config.randomness = randomness_of(config, options.seed)
    if options.deterministic:
        config.randomness.deterministic = True
    if options.amp:
        use_mixed_precision(config)
    if options.max_bad_batches is not None:
        allow_bad_batches(config, options.max_bad_batches)
    if options.max_bad_images is not None:
        config.max_bad_images = options.max_bad_images
    _scale_rate(config, wanted=options.auto_scale_lr)
    if options.load_from:
        config.load_from = find_weights(options.load_from)
    if options.resume:
        resume_from(config, options.resume)
    return config


def allow_bad_batches(config: Config, count: int) -> None:
    """Let a training leave out so many batches whose loss or gradient is not finite."""
    config.default_hooks = config.get("default_hooks") or {}
    hook = config.default_hooks.get("non_finite") or {}
    config.default_hooks.non_finite = {"type": "StopOnNonFinite", **hook, "max_skipped": count}


def _scale_rate(config: Config, *, wanted: bool) -> None:
    """Let the learning rate be scaled if a command or the config wants it.

    Raises:
        UserError: the config does not say for how many images its rate is.
    """
    scaling = config.get("auto_scale_lr") or {}
    if not wanted and not scaling.get("enable"):
        return
    if not scaling.get("base_batch_size"):
        asked = "--auto-scale-lr" if wanted else "auto_scale_lr.enable"
        raise UserError(
            f"got {asked}; {config.filename} does not say for how many images its learning rate "
            "is (auto_scale_lr.base_batch_size)."
        )
    config.auto_scale_lr.enable = True


def find_weights(source: str) -> str:
    """Return the weights that a training starts from.

    Args:
        source: a checkpoint or an address of one, or a detector as ``find_detector`` takes it.

    Raises:
        UserError: there is neither.
    """
    from ovdistill.inference.pretrained import find_detector

    if "://" in source or Path(source).is_file():
        return source
    return str(find_detector(source).weights)


def use_mixed_precision(config: Config) -> None:
    """Let a config train with half precision where that is precise enough.

    That is float16 with a loss scale on a GPU, and bfloat16, which needs none, on a CPU.
    """
    import torch

    wrapper = config.optim_wrapper
    if torch.cuda.is_available():
        wrapper.type = "AmpOptimWrapper"
        wrapper.setdefault("loss_scale", "dynamic")
    else:
        wrapper.type = "FiniteBf16OptimWrapper"
