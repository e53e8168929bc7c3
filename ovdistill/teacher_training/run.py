"""Run the training of a teacher in a folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from ovdistill.core.distributed import is_main_process
from ovdistill.core.errors import UserError
from ovdistill.core.locks import folder_lock
from ovdistill.teacher.teacher_folder import CONFIG_NAME, WEIGHTS_NAME
from ovdistill.teacher_training.config import TeacherTraining
from ovdistill.teacher_training.loop import TeacherTrainer

LOGGER = logging.getLogger(__name__)


def run_training(
    config: Mapping[str, Any], folder: Path, device: torch.device, *, resume: bool = False
) -> Path:
    """Train a teacher and write it into a folder that ``OpenCLIPTeacher`` loads.

    Every process of a job must call it.

    Args:
        config: see ``TeacherTraining.build``.
        folder: of checkpoints, log and result.
        device: where the towers run.
        resume: go on from the newest checkpoint of the folder, if there is one.

    Returns:
        The folder.

    Raises:
        UserError: the folder holds checkpoints and ``resume`` is False, it holds a teacher without
            checkpoints, another training is going on there, or see ``TeacherTraining.build`` and
            ``TeacherTrainer.run``.
    """
    training = TeacherTraining.build(config)
    with folder_lock(folder, "a training") if is_main_process() else nullcontext():
        trainer = TeacherTrainer(training, folder, device)
        last = trainer.checkpoints.last()
        if last and not resume:
            raise UserError(
                f"{last} is there from another training; go on with it by --resume, delete "
                f"{last.parent}, or name another folder"
            )
        found = [name for name in (CONFIG_NAME, WEIGHTS_NAME) if (folder / name).exists()]
        if found and not last:
            raise UserError(
                f"{folder} has {' and '.join(found)}, and no checkpoint to go on from: a teacher "
                "is there already; name another folder"
            )
        if not (resume and trainer.resume()) and is_main_process():
            trainer.bad_images.path.unlink(missing_ok=True)
        trainer.run()
    if is_main_process() and (skipped := len(trainer.bad_images.problems())):
        LOGGER.warning("%d images were skipped; see %s", skipped, trainer.bad_images.path)
    return folder
