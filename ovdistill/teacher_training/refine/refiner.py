"""The loop that refines a teacher's image tower.

Shapes: n images of a step, P boxes of all of them, D embedding width.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.errors import DivergedError, UserError
from ovdistill.core.images import ImageError
from ovdistill.core.logs import progress
from ovdistill.datasets.bad_images import NAME as BAD_IMAGES
from ovdistill.datasets.bad_images import BadImages
from ovdistill.teacher import CropPolicy, DenseRegions, OpenCLIPTeacher
from ovdistill.teacher.dense import embed_regions
from ovdistill.teacher.dense_regions import DenseBatch
from ovdistill.teacher.open_clip_teacher import to_input
from ovdistill.teacher_training.checkpoint import Checkpoints, load_checkpoint
from ovdistill.teacher_training.optimizer import build_optimizer, set_rate
from ovdistill.teacher_training.refine.loss import self_distillation_loss
from ovdistill.teacher_training.refine.sources import RefineSource, Sample
from ovdistill.teacher_training.settings import WITHOUT_EFFECT, TrainingSettings


@dataclass(frozen=True)
class RefineSettings:
    """How a teacher is refined.

    Attributes:
        training: steps, images of a step and the rest of the optimisation.
        regions: how the refined teacher is to embed regions from one pass over the image.
    """

    training: TrainingSettings
    regions: DenseRegions = DenseRegions()

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain JSON values."""
        training = {**asdict(self.training), "betas": list(self.training.betas)}
        return {**training, "size": self.regions.size, "stage": self.regions.stage}


class Refiner:
    """Trains a copy of a teacher's image tower; the teacher itself stays frozen.

    The copy stays in evaluation mode: statistics of normalisation and dropout are not trained.

    Args:
        teacher: the teacher, in float32. Its crops, or 1x and 1.5x where it has none, are the
            targets.
        source: images and boxes.
        settings: how it is refined.
        folder: where checkpoints are written, and looked for.

    Attributes:
        model: the open_clip model with the refined image tower.
        losses: mean loss of each step of this run.

    Raises:
        UserError: a teacher that is not in float32, or a checkpoint of other settings.
    """

    def __init__(
        self,
        teacher: OpenCLIPTeacher,
        source: RefineSource,
        settings: RefineSettings,
        folder: Path,
    ) -> None:
        if teacher.precision != "fp32":
            raise UserError(f"teacher precision {teacher.precision}; expected fp32 to train it")
        self.teacher, self.source, self.settings = teacher, source, settings
        self.policy = teacher.crops if isinstance(teacher.crops, CropPolicy) else CropPolicy()
        self.model = copy.deepcopy(teacher.model)
        self.parameters = list(self.model.visual.requires_grad_(requires_grad=True).parameters())
        self.optimizer = build_optimizer(self.parameters, settings.training)
        self.checkpoints = Checkpoints(folder, settings.training.keep_checkpoints)
        self.bad_images = BadImages(folder / BAD_IMAGES, settings.training.max_bad_images)
        self.losses: list[float] = []
        self.step = self._resume()

    def run(self) -> None:
        """Make all steps that are left, with a checkpoint now and then.

        Raises:
            DivergedError: a loss is not finite.
            UserError: more images that cannot be read than may be skipped.
        """
        training = self.settings.training
        bar = progress(total=training.steps, initial=self.step, title="refining", unit="step")
        with bar:
            while self.step < training.steps:
                self.losses.append(self.make_step())
                recent = self.losses[-training.log_every :]
                bar.set_postfix(loss=f"{sum(recent) / len(recent):.4f}", refresh=False)
                bar.update()
                if self.step % training.checkpoint_every == 0 or self.step == training.steps:
                    self._save()

    def make_step(self) -> float:
        """Make a step; what it draws depends on the seed and on its number alone.

        Returns:
            The mean over boxes of 1 - cosine, before the step.
        """
        training = self.settings.training
        rng = np.random.default_rng((training.seed, self.step))
        few = len(self.source) < training.batch
        rows = rng.choice(len(self.source), training.batch, replace=few)
        samples = [self._sample(int(row), rng) for row in rows]
        # images of one size follow each other, so that they share a pass
        samples.sort(key=lambda sample: sample.image.shape[1:])
        set_rate(self.optimizer, self.step, training)
        self.optimizer.zero_grad()
        loss = self._backward(samples)
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss of step {self.step + 1} is {loss}; expected a lower --lr than "
                f"{training.learning_rate:g}"
            )
        torch.nn.utils.clip_grad_norm_(self.parameters, training.clip_norm or math.inf)
        self.optimizer.step()
        self.step += 1
        return loss

    def _sample(self, row: int, rng: np.random.Generator) -> Sample:
        """Return an image and its boxes; another one in place of one that cannot be read."""
        while True:
            try:
                return self.source.sample(row, rng)
            except ImageError as error:
                if not self.bad_images.limit:
                    raise UserError(
                        f"{error}. Fetch it again, or skip such images with --max-bad-images N."
                    ) from None
                self.bad_images.add(error.path, error.problem)
                if len(self.bad_images.problems()) >= len(self.source):
                    raise UserError(f"no image can be read; see {self.bad_images.path}") from error
            row = int(rng.integers(len(self.source)))

    def _backward(self, samples: Sequence[Sample]) -> float:
        """Add the gradient of the loss of a step, and return the loss."""
        device = self.teacher.device
        samples = [replace(sample, image=sample.image.to(device)) for sample in samples]
        targets = torch.cat([self._crops(sample) for sample in samples])
        batches = self.settings.regions.batches(
            ((sample.image, sample.boxes) for sample in samples),
            self.teacher.dense_stride,
            self.teacher.interpolation,
            len(samples) * self.settings.regions.size**2,
        )
        total, first = 0.0, 0
        for batch in batches:
            count = sum(len(own) for own in batch.boxes)
            pooled, own = self._pool(batch), targets[first : first + count]
            loss = self_distillation_loss(pooled, own) * (count / len(targets))
            loss.backward()
            total, first = total + float(loss.detach()), first + count
        return total

    def _crops(self, sample: Sample) -> Tensor:
        """Return (P, D) the frozen teacher's embeddings of the crops of boxes."""
        if sample.crops is not None:
            return sample.crops.to(self.teacher.device)
        return self.teacher.encode_regions(sample.image, sample.boxes, policy=self.policy)

    def _pool(self, batch: DenseBatch) -> Tensor:
        """Return (P, D) dense features of boxes, as ``Teacher.embed_dense``, with gradients."""
        pixels = to_input(batch.images, self.teacher.mean, self.teacher.std, "fp32")
        return embed_regions(self.model, pixels, batch, self.teacher.image_size)

    def state(self) -> dict[str, Any]:
        """Return what a run that goes on must have in common with this one."""
        named = dict(teacher=str(self.teacher.id), crops=self.policy.to_dict())
        settings = self.settings.to_dict()
        numbers = {key: value for key, value in settings.items() if key not in WITHOUT_EFFECT}
        return {**numbers, **named, **self.source.describe()}

    def _save(self) -> None:
        self.checkpoints.save(self.step, self.model.visual, self.optimizer, self.state())

    def _resume(self) -> int:
        """Load the newest checkpoint, where there is one, and return its step; else 0."""
        path = self.checkpoints.last()
        if path is None:
            return 0
        step, before = load_checkpoint(path, self.model.visual, self.optimizer)
        now = self.state()
        if changed := [key for key in now if before.get(key) != now[key]]:
            listed = ", ".join(f"{key} {before.get(key)} there, {now[key]} now" for key in changed)
            raise UserError(
                f"{self.checkpoints.folder} was begun differently: {listed}; go on with the same "
                "options, or name another folder with -o"
            )
        return step
