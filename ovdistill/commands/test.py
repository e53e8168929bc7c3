"""Measure a detector: base and novel names compete in one classifier (generalized protocol).

    ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth -o out

prints a table and writes metrics.json, metrics.md, per_category.json and provenance.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.options import argument, flag, option
from ovdistill.commands.processes import RunnerOptions, init_processes
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner
    from torch import nn

# what mmengine would build too if it is there
TRAINING_KEYS = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler")
VALIDATION_KEYS = ("val_dataloader", "val_cfg", "val_evaluator")


@dataclass(frozen=True, kw_only=True)
class TestOptions(RunnerOptions):
    """Options of ``ovdistill test``."""

    config: str = argument("config file, or the name of a recipe such as vild_r18_shapes")
    checkpoint: str = argument(".pth or .safetensors")
    out: str | None = option(
        None, flags=["-o"], help="folder of metrics.json; CHECKPOINT's by default", metavar="DIR"
    )
    vocabulary: str | None = option(None, help="vocabulary file in place of the config's")
    subset: Literal["val", "test"] = option(
        "test", old_flags=["--split"], help="which images (default: %(default)s)"
    )
    teacher_on_crops: bool = flag(
        help="name every box with the config's teacher too: slow, and no part of the detector",
    )
    show: int = option(0, metavar="N", help="draw N images")


def test(options: TestOptions) -> None:
    """Test a checkpoint and write what came out.

    Raises:
        UserError: a file that is missing, or weights or a vocabulary that do not fit.
    """
    options.set_local_rank()
    check_files(options)
    from mmengine.runner import Runner

    from ovdistill.core.distributed import is_main_process
    from ovdistill.extraction.prepare import prepare
    from ovdistill.inference.draw_hook import DrawDetections
    from ovdistill.models.build import load_weights

    out = Path(options.out or Path(options.checkpoint).parent / "test")
    config = testing_config(options, out)
    init_processes(config, options.launcher)
    prepare(config, for_training=False)
    runner = Runner.from_cfg(config)
    model = getattr(runner.model, "module", runner.model)
    load_weights(model, options.checkpoint)
    if options.teacher_on_crops:
        add_crop_teacher(model, config)
    if options.show:
        runner.register_hook(DrawDetections(out / "images", options.show))
    metrics = runner.test()
    if is_main_process():
        write_results(options, out, config, runner, metrics)


def check_files(options: TestOptions) -> None:
    """Raise UserError for what can be seen to be wrong before anything heavy is imported."""
    find_recipe(options.config)
    if options.show < 0:
        raise UserError(f"got --show {options.show}; expected a number of images.")
    if options.vocabulary and not Path(options.vocabulary).is_file():
        raise UserError(f"got --vocabulary {options.vocabulary}; there is no such file.")
    if not Path(options.checkpoint).is_file():
        raise UserError(
            f"no checkpoint {options.checkpoint}. Train one with `ovdistill train "
            f"{options.config}`, which leaves it in work_dirs/."
        )


def testing_config(options: TestOptions, out: Path) -> Config:
    """Read the config and put the command's choices into it.

    Raises:
        UserError: a config that has nothing to evaluate the subset with.
    """
    from ovdistill.models.config import load_config

    overrides = options.overrides
    if options.vocabulary:
        overrides["vocabulary"] = options.vocabulary
    config = load_config(options.config, overrides)
    if not config.get(f"{options.subset}_evaluator"):
        raise UserError(
            f"{options.config} evaluates no {options.subset} images ({options.subset}_evaluator). "
            "Give the other --subset; `ovdistill init-dataset` takes images to evaluate on with "
            "--val."
        )
    if options.subset == "val":
        config.test_dataloader = config.val_dataloader
        config.test_evaluator = config.val_evaluator
    config.launcher = options.launcher
    config.log_level = options.level
    config.work_dir = str(out)
    config.load_from = None
    for key in (*TRAINING_KEYS, *VALIDATION_KEYS):
        config[key] = None
    return config


def add_crop_teacher(model: nn.Module, config: Config) -> None:
    """Let the config's teacher name every box too.

    Raises:
        UserError: a detector without RoIs, or see ``set_crop_teacher``.
    """
    from ovdistill.models.teacher_on_crops import TeacherOnCrops
    from ovdistill.teacher import build_teacher

    if not hasattr(model, "set_crop_teacher"):
        raise UserError(
            f"--teacher-on-crops needs a two-stage detector; {config.filename} has none."
        )
    teacher = build_teacher(config.teacher, next(model.parameters()).device)
    model.set_crop_teacher(TeacherOnCrops(teacher, model.data_preprocessor))


def write_results(
    options: TestOptions, out: Path, config: Config, runner: Runner, metrics: dict[str, float]
) -> None:
    """Print the table and write the files."""
    from ovdistill.core.provenance import provenance
    from ovdistill.evaluation.report import print_table, write_report

    (metric,) = (m for m in runner.test_evaluator.metrics if hasattr(m, "evaluator_version"))
    origin = provenance(
        config=options.config,
        checkpoint=options.checkpoint,
        vocabulary=config.vocabulary,
        evaluator=metric.evaluator_version,
        subset=options.subset,
        ann_file=metric.ann_file,
        teacher_on_crops=options.teacher_on_crops,
        seconds_per_image=seconds_per_image(runner),
    )
    path = write_report(out, metrics, origin, metric.per_category)
    print_table(metrics, title=f"{options.checkpoint}, {options.subset} images")
    print(f"wrote {path}")


def seconds_per_image(runner: Runner) -> float:
    """Return the mean time of the test loop for an image on one rank, with loading, no metrics."""
    batches = runner.message_hub.get_scalar("test/time").mean(None)
    return float(batches) * len(runner.test_dataloader) / len(runner.test_dataloader.dataset)
