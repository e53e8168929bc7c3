"""Measure a detector: base and novel classes compete in one classifier (generalized protocol).

    ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth -o out

prints a table and writes metrics.json, metrics.md, per_category.json and provenance.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import argument, flag, option, recipe_argument
from ovdistill.commands.processes import RunnerOptions, joined_processes
from ovdistill.core.errors import UserError
from ovdistill.core.files import check_output_folder
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner
    from torch import nn

# mmengine would build these too
TRAINING_KEYS = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler")
VALIDATION_KEYS = ("val_dataloader", "val_cfg", "val_evaluator")


@dataclass(frozen=True, kw_only=True)
class TestOptions(RunnerOptions):
    """Options of ``ovdistill test``."""

    config: str = recipe_argument()
    checkpoint: str = argument(".pth or .safetensors")
    out: str | None = option(
        None,
        flags=["-o"],
        help="folder of the results (default: test, beside CHECKPOINT)",
        metavar="DIR",
        writes="folder",
    )
    vocabulary: str | None = option(
        None, help="vocabulary file to use instead of the config's", metavar="FILE"
    )
    subset: Literal["val", "test"] = option("test", old_flags=["--split"], help="images to test on")
    teacher_on_crops: bool = flag(
        help="classify every box with the config's teacher too: slow, not part of the detector"
    )
    show: int = option(0, metavar="N", help="draw truth and detections of N images", least=0)


def test(options: TestOptions) -> None:
    """Test a checkpoint and write the results.

    Raises:
        UserError: a missing file, or weights or a vocabulary that do not fit.
    """
    options.set_local_rank()
    check_files(options)
    from mmengine.runner import Runner

    from ovdistill.commands.test_origin import add_proposal_recall
    from ovdistill.core.distributed import is_main_process
    from ovdistill.extraction.prepare import prepare
    from ovdistill.inference.draw_hook import DrawDetections
    from ovdistill.models.build import load_weights

    out = Path(options.out or Path(options.checkpoint).parent / "test")
    check_output_folder(out)
    config = testing_config(options, out)
    add_proposal_recall(config)
    with joined_processes(config, options.launcher):
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
    """Raise UserError for missing files and impossible values."""
    find_recipe(options.config)
    check_file(options.vocabulary, "--vocabulary")
    if not Path(options.checkpoint).is_file():
        raise UserError(
            f"no checkpoint {options.checkpoint}. Train one with `ovdistill train "
            f"{options.config}`, which leaves it in work_dirs/."
        )


def testing_config(options: TestOptions, out: Path) -> Config:
    """Return the config with the command's options in it, and without its training part.

    Args:
        options: of the command.
        out: folder of the results.

    Raises:
        UserError: the config has no evaluator for the subset.
    """
    from ovdistill.extraction.prepare_vocabulary import check_teacher
    from ovdistill.models.config import load_config
    from ovdistill.teacher import teacher_name

    overrides = options.overrides
    if options.vocabulary:
        overrides["vocabulary"] = options.vocabulary
    config = load_config(options.config, overrides)
    if options.vocabulary:  # its classes may be others than the config's, its teacher may not
        check_teacher(options.vocabulary, teacher_name(config.teacher))
        config.merge_from_dict({"prepare.vocabulary": None})
    if not config.get(f"{options.subset}_evaluator"):
        raise UserError(
            f"{options.config} evaluates no {options.subset} images ({options.subset}_evaluator). "
            "Give the other --subset; `ovdistill init-dataset` takes images to evaluate on with "
            "--val."
        )
    if options.subset == "val":
        config.test_dataloader = config.val_dataloader
        config.test_evaluator = config.val_evaluator
    options.apply(config)
    config.work_dir = str(out)
    config.load_from = None
    for key in (*TRAINING_KEYS, *VALIDATION_KEYS):
        config[key] = None
    return config


def add_crop_teacher(model: nn.Module, config: Config) -> None:
    """Let the config's teacher classify every box too.

    Raises:
        UserError: a detector without an RoI head, or see ``set_crop_teacher``.
    """
    from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
    from ovdistill.models.teacher_on_crops import TeacherOnCrops
    from ovdistill.teacher import build_teacher

    if not isinstance(model, OpenVocabularyRCNN):
        raise UserError(
            f"--teacher-on-crops needs a two-stage detector; {config.filename} has none."
        )
    teacher = build_teacher(config.teacher, next(model.parameters()).device)
    model.set_crop_teacher(TeacherOnCrops(teacher, model.data_preprocessor))


def write_results(
    options: TestOptions, out: Path, config: Config, runner: Runner, metrics: dict[str, float]
) -> None:
    """Write metrics and their provenance, and print them as a table.

    Args:
        options: of the command.
        out: folder to write.
        config: as it was tested.
        runner: after its test loop.
        metrics: figures by name.
    """
    from ovdistill.commands.test_origin import test_origin
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
        **test_origin(config, options.checkpoint, runner, metric),
    )
    path = write_report(out, metrics, origin, metric.per_category)
    print_table(metrics, title=f"{options.checkpoint}, {options.subset} images")
    print(f"wrote {path}")


def seconds_per_image(runner: Runner) -> float:
    """Return the mean seconds of the test loop for an image on one rank, without the metrics."""
    batches = runner.message_hub.get_scalar("test/time").mean(None)
    return float(batches) * len(runner.test_dataloader) / len(runner.test_dataloader.dataset)
