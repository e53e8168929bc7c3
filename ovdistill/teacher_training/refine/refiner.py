"""The loop that refines a teacher's image tower.

Shapes: n images of a step, P boxes of all of them, D embedding width.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.core.logs import progress
from ovdistill.teacher import CropPolicy, DenseRegions, OpenCLIPTeacher
from ovdistill.teacher.dense import dense_features
from ovdistill.teacher.dense_regions import DenseBatch, pool_boxes
from ovdistill.teacher.open_clip_teacher import to_input
from ovdistill.teacher_training.checkpoint import Checkpoints, load_checkpoint
from ovdistill.teacher_training.optimizer import build_optimizer, set_rate
from ovdistill.teacher_training.refine.boxes import draw_boxes
from ovdistill.teacher_training.refine.loss import self_distillation_loss
from ovdistill.teacher_training.settings import TrainingSettings


@dataclass(frozen=True)
class RefineSettings:
    """How a teacher is refined.

    Attributes:
        training: steps, images of a step and the rest of the optimisation.
        size: longer side, in pixels, to which images are brought for dense features.
        boxes: 'grid' or 'random', see ``draw_boxes``.
    """

    training: TrainingSettings
    size: int = 1024
    boxes: str = "grid"

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain JSON values."""
        own = {**asdict(self.training), "size": self.size, "boxes": self.boxes}
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in own.items()
        }


class Refiner:
    """Trains a copy of a teacher's image tower; the teacher itself stays frozen.

    The copy stays in evaluation mode: statistics of normalisation and dropout are not trained.

    Args:
        teacher: the teacher, in float32. Its crops, or 1x and 1.5x where it has none, are the
            targets.
        files: images without labels.
        settings: how it is refined.
        folder: where checkpoints are written, and looked for.

    Attributes:
        model: the open_clip model with the refined image tower.
        losses: mean loss of each step of this run.

    Raises:
        UserError: no images, a teacher that is not in float32, or a checkpoint of other settings.
    """

    def __init__(
        self,
        teacher: OpenCLIPTeacher,
        files: Sequence[Path],
        settings: RefineSettings,
        folder: Path,
    ) -> None:
        if not files:
            raise UserError("no images to refine the teacher with; expected at least one")
        if teacher.precision != "fp32":
            raise UserError(f"teacher precision {teacher.precision}; expected fp32 to train it")
        self.teacher, self.files, self.settings = teacher, files, settings
        self.policy = teacher.crops if isinstance(teacher.crops, CropPolicy) else CropPolicy()
        self.dense = DenseRegions(settings.size)
        self.model = copy.deepcopy(teacher.model)
        self.parameters = list(self.model.visual.requires_grad_(requires_grad=True).parameters())
        self.optimizer = build_optimizer(self.parameters, settings.training)
        self.checkpoints = Checkpoints(folder, settings.training.keep_checkpoints)
        self.losses: list[float] = []
        self.step = self._resume()

    def run(self) -> None:
        """Make all steps that are left, with a checkpoint now and then.

        Raises:
            UserError: an image that cannot be read, or a loss that is not finite.
        """
        training = self.settings.training
        bar = progress(total=training.steps, initial=self.step, title="refining", unit="step")
        with bar:
            while self.step < training.steps:
                self.losses.append(self.make_step())
                recent = self.losses[-training.log_every :]
                bar.set_postfix(loss=f"{sum(recent) / len(recent):.4f}", refresh=False)
                bar.update()
                if self.step % training.checkpoint_every == 0 and self.step < training.steps:
                    self._save()

    def make_step(self) -> float:
        """Make a step; what it draws depends on the seed and on its number alone.

        Returns:
            The mean over boxes of 1 - cosine, before the step.
        """
        training = self.settings.training
        rng = np.random.default_rng((training.seed, self.step))
        few = len(self.files) < training.batch
        chosen = rng.choice(len(self.files), training.batch, replace=few)
        images = [torch.from_numpy(read_image(self.files[row])).permute(2, 0, 1) for row in chosen]
        stride = self.teacher.dense_stride
        # images of one size follow each other, so that they share a pass
        images.sort(key=lambda image: self.dense.input_size(*image.shape[1:], stride))
        boxes = [
            draw_boxes(rng, (image.shape[1], image.shape[2]), self.settings.boxes)
            for image in images
        ]
        set_rate(self.optimizer, self.step, training)
        self.optimizer.zero_grad()
        loss = self._backward(images, boxes)
        if not math.isfinite(loss):
            raise UserError(
                f"the loss of step {self.step + 1} is {loss}; expected a lower --lr than "
                f"{training.learning_rate:g}"
            )
        torch.nn.utils.clip_grad_norm_(self.parameters, training.clip_norm or math.inf)
        self.optimizer.step()
        self.step += 1
        return loss

    def _backward(self, images: Sequence[Tensor], boxes: Sequence[Tensor]) -> float:
        """Add the gradient of the loss of a step, and return the loss."""
        device = self.teacher.device
        images = [image.to(device) for image in images]
        targets = self.teacher.encode_regions(images, boxes, policy=self.policy)
        pairs = zip(images, boxes, strict=True)
        pixels = len(images) * self.settings.size**2
        total, first = 0.0, 0
        batches = self.dense.batches(
            pairs, self.teacher.dense_stride, self.teacher.interpolation, pixels
        )
        for batch in batches:
            count = sum(len(own) for own in batch.boxes)
            pooled = self._pool(batch)
            own = targets[first : first + count]
            loss = self_distillation_loss(pooled, own) * (count / len(targets))
            loss.backward()
            total, first = total + float(loss.detach()), first + count
        return total

    def _pool(self, batch: DenseBatch) -> Tensor:
        """Return (P, D) dense features of boxes, as ``Teacher.embed_dense``, with gradients."""
        pixels = to_input(batch.images, self.teacher.mean, self.teacher.std, "fp32")
        features = normalize(dense_features(self.model, pixels), dim=1)
        return pool_boxes(features, batch.boxes, self.teacher.dense_stride)

    def _state(self) -> dict[str, Any]:
        """Return what a run that goes on must have in common with this one."""
        named = dict(teacher=str(self.teacher.id), images=len(self.files))
        return {**self.settings.to_dict(), **named}

    def _save(self) -> None:
        self.checkpoints.save(self.step, self.model.visual, self.optimizer, self._state())

    def _resume(self) -> int:
        """Load the newest checkpoint, where there is one, and return its step; else 0."""
        path = self.checkpoints.last()
        if path is None:
            return 0
        step, before = load_checkpoint(path, self.model.visual, self.optimizer)
        now = self._state()
        if changed := [key for key in now if before.get(key) != now[key]]:
            listed = ", ".join(f"{key} {before.get(key)} there, {now[key]} now" for key in changed)
            raise UserError(
                f"{self.checkpoints.folder} was begun differently: {listed}; go on with the same "
                "options, or name another folder with -o"
            )
        return step
