"""The loop that trains a teacher."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.distributed import (
    get_rank,
    get_world_size,
    is_initialized,
    is_main_process,
    patient_group,
)
from ovdistill.core.errors import DivergedError, UserError
from ovdistill.datasets.bad_images import NAME as BAD_IMAGES
from ovdistill.datasets.bad_images import BadImages
from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.checkpoint import Checkpoints, load_checkpoint
from ovdistill.teacher_training.config import TeacherTraining
from ovdistill.teacher_training.data.source import BatchPlan
from ovdistill.teacher_training.gradients import GradientComputer, average_gradients
from ovdistill.teacher_training.log import TrainingLog
from ovdistill.teacher_training.optimizer import MAX_LOGIT_SCALE, build_optimizer, set_rate
from ovdistill.teacher_training.parts import to_device
from ovdistill.teacher_training.result import write_result
from ovdistill.teacher_training.settings import WITHOUT_EFFECT

LOGGER = logging.getLogger(__name__)
STATED = ("data", "augmentation", "objectives", "model")  # other parts of a config with an effect


class TeacherTrainer:
    """Trains the towers of a ``TeacherTraining`` in a folder.

    Every process of a job makes one; the one of rank 0 writes.

    Args:
        training: what is trained, and how.
        folder: of checkpoints, log and result.
        device: where the towers run.

    Attributes:
        step: how many steps were made.
    """

    def __init__(self, training: TeacherTraining, folder: Path, device: torch.device) -> None:
        self.training, self.folder, self.device = training, folder, device
        self.settings, self.trained = training.settings, training.trained.to(device)
        self.towers = self.trained.towers
        self.parameters = [p for p in self.trained.parameters() if p.requires_grad]
        self.optimizer = build_optimizer(self.parameters, self.settings)
        self.gradients = GradientComputer(
            self.towers,
            [*self.trained.objectives],
            self.settings.part,
            self.settings.precision,
        )
        self.checkpoints = Checkpoints(folder, self.settings.keep_checkpoints)
        self.bad_images = BadImages(folder / BAD_IMAGES, self.settings.max_bad_images)
        self.measured = patient_group() if training.held_out else None
        self.step = 0

    def resume(self) -> bool:
        """Go on from the newest checkpoint of the folder; return False where there is none.

        Raises:
            UserError: it is behind the last step, or see ``load_checkpoint``.
        """
        path = self.checkpoints.last()
        if path is None:
            return False
        self.step, before = load_checkpoint(path, self.trained, self.optimizer)
        if self.step > self.settings.steps:
            raise UserError(
                f"{path} is of step {self.step}, and training.steps is {self.settings.steps}; "
                f"expected {self.step} or more"
            )
        now = self._settings()
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                LOGGER.warning(
                    "%s is %r, and was %r until now: this is not the run that it would have been "
                    "without interruption",
                    *(name, now.get(name), before.get(name)),
                )
        LOGGER.info("going on after step %d of %s", self.step, path)
        return True

    def run(self) -> Path:
        """Make the steps that are left, and write the teacher into the folder.

        Returns:
            The folder.

        Raises:
            DivergedError: the gradient is NaN or infinite; the weights are those before.
            UserError: see the data, and ``atomic_folder``.
        """
        log = TrainingLog(self.folder, self.settings.steps, self.step)
        figures: dict[str, Any] = {}
        # at its end a run that goes on needs figures, at its start images that can be measured
        if self.step in (0, self.settings.steps):
            figures = self._measure(log)
        batches = self.training.data.batches(self.plan(), self.step)
        while self.step < self.settings.steps:
            self.make_step(next(batches), log)
            last = self.step == self.settings.steps
            if self.step % self.settings.log_every == 0 or last:
                log.write(self.step)
            if self.step % self.settings.checkpoint_every == 0 or last:
                self._save()
                figures = self._measure(log)
        if is_main_process():
            write_result(self.folder, self.training, figures)
        return self.folder

    def make_step(self, batch: TrainingBatch, log: TrainingLog | None = None) -> None:
        """Make one step with a batch of this rank."""
        entropy = (self.settings.seed, get_rank(), self.step)
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
        rate = set_rate(self.optimizer, self.step, self.settings)
        self.optimizer.zero_grad()
        losses = self.gradients(to_device(batch, self.device))
        average_gradients(self.parameters)
        norm = torch.nn.utils.clip_grad_norm_(
            self.parameters, self.settings.clip_norm or float("inf")
        )
        self._check_finite(norm, losses)
        self.optimizer.step()
        with torch.no_grad():
            self.towers.model.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
        self.step += 1
        if log is not None:
            log.add(losses, rate, norm, self.towers.scale)

    def plan(self) -> BatchPlan:
        """Return what the batches of this process must be like."""
        return BatchPlan(
            batch=self.settings.batch,
            image_size=self.towers.image_size,
            normalize=self.towers.normalize,
            interpolation=self.towers.preprocessing["interpolation"],
            tokenize=self.towers.tokenizer,
            needs=self.training.needs,
            seed=self.settings.seed,
            rank=get_rank(),
            ranks=get_world_size(),
            workers=self.settings.workers,
            bad_images=str(self.bad_images.path),
            max_bad_images=self.settings.max_bad_images,
        )

    def _check_finite(self, norm: Tensor, losses: Mapping[str, Tensor]) -> None:
        if math.isfinite(norm.item()):
            return
        shown = ", ".join(f"{name} {value.item():g}" for name, value in losses.items())
        raise DivergedError(
            f"the gradient of step {self.step + 1} is not finite (losses {shown}). Checkpoints in "
            f"{self.folder} are from before it. Try a lower training.learning_rate, or a larger "
            "training.warm_up."
        )

    def _measure(self, log: TrainingLog) -> dict[str, Any]:
        """Return the zero-shot accuracy on the images that are held out, where there are any."""
        if self.training.held_out is None:
            return {}
        accuracy = self.training.held_out.accuracy(
            self.towers, self.settings.workers, self.measured
        )
        if is_main_process():
            log.note(self.step, zero_shot=accuracy)
        return dict(zero_shot=accuracy)

    def _save(self) -> None:
        if is_main_process():
            self.checkpoints.save(self.step, self.trained, self.optimizer, self._settings())
        if is_initialized():  # nobody ends or goes on before it is there
            torch.distributed.barrier()

    def _settings(self) -> dict[str, Any]:
        """Return what another run must have in common with this one, as plain JSON values."""
        parts = {key: self.training.content.get(key) for key in STATED}
        numbers = {k: v for k, v in asdict(self.settings).items() if k not in WITHOUT_EFFECT}
        stated = json.loads(json.dumps({**numbers, **parts}, default=str))
        return {**stated, "processes": get_world_size()}
