"""Train a teacher: any open_clip architecture, from pairs of images and texts.

    ovdistill teacher train --config my_teacher.py
    ovdistill teacher train --config my_teacher.py -o work_dirs/mine --resume
    torchrun --nproc_per_node 8 -m ovdistill teacher train --config my_teacher.py --launcher pytorch
    ovdistill teacher train --config teacher_shapes -o work_dirs/teacher_shapes

The folder is a teacher at the end: --teacher DIR of other commands, teacher=dict(model="DIR") of a
config. docs/teacher_training.md describes configs, objectives and sources of data.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.options import flag, option
from ovdistill.commands.processes import RunnerOptions, joined_processes
from ovdistill.core.errors import UserError
from ovdistill.core.files import check_output_folder
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True, kw_only=True)
class TrainTeacherOptions(RunnerOptions):
    """Options of ``ovdistill teacher train``."""

    config: str = option(help="config file of the training, or the recipe teacher_shapes")
    out: Path | None = option(
        None,
        flags=["-o"],
        metavar="DIR",
        help="folder of the teacher, its checkpoints and its log (default: work_dirs/CONFIG)",
        writes="folder",
    )
    resume: bool = flag(help="continue from the last checkpoint in the folder, if there is one")
    max_bad_images: int | None = option(
        None,
        metavar="N",
        least=0,
        help="images that may be missing or damaged; they are skipped, and listed in the folder "
        "(default: the config's training.max_bad_images, else 0)",
    )
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def train(options: TrainTeacherOptions) -> None:
    """Train a teacher and write it.

    Raises:
        UserError: a config that describes no training of a teacher, or data that are missing.
    """
    options.set_local_rank()
    find_recipe(options.config)  # before anything heavy is imported
    import torch
    from mmengine.config import Config

    import ovdistill.ovshapes.teacher.register  # noqa: F401  # the source of the recipe
    from ovdistill.core.devices import choose_device
    from ovdistill.core.distributed import is_main_process, ranks_of
    from ovdistill.models.config import load_config
    from ovdistill.teacher_training.run import run_training

    config = load_config(options.config, options.overrides)
    folder = options.out or Path("work_dirs", Path(options.config).stem)
    check_output_folder(folder)
    content = training_content(config, options)
    processes = Config(dict(env_cfg=dict()))
    with joined_processes(processes, options.launcher):
        device = options.device
        if torch.cuda.is_available() and options.launcher != "none":
            if device not in (None, "cuda"):
                raise UserError(
                    f"got --device {device} and --launcher {options.launcher}, with which each "
                    "process takes a GPU of its own; omit --device"
                )
            device = f"cuda:{ranks_of(options.launcher)[2]}"
        run_training(content, folder, choose_device(device), resume=options.resume)
        if is_main_process():
            print(f"wrote {folder}")


def training_content(config: Config, options: TrainTeacherOptions) -> dict[str, Any]:
    """Return the config as plain values, with the command's options in it.

    Raises:
        UserError: it describes a detector.
    """
    content = config.to_dict()
    if "train_dataloader" in content or "test_cfg" in content:
        raise UserError(
            f"{options.config} describes a detector: train it with `ovdistill train`. Expected the "
            "training of a teacher, with model, data, objectives and training."
        )
    training = content.get("training") or {}
    if options.max_bad_images is not None and isinstance(training, dict):
        content["training"] = dict(training, max_bad_images=options.max_bad_images)
    return content
