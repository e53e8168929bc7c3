"""The schedule of a training on a user's own data, after that of a shipped recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.config import Config

EPOCHS = 36  # unless the user says otherwise
WARMUP = 1000
FALLS = (0.9, 0.95, 0.975)  # ViLD's, as shares of the training
SHORT = 100  # with fewer iterations the only validation is at the end
# after n steps of this momentum over n, running statistics have 1 - exp(-6) of their weight
SETTLED = 6.0
MOST_MOMENTUM = 0.1  # torch's default


@dataclass(frozen=True)
class Schedule:
    """A training on one GPU.

    Attributes:
        batch: images a step.
        lr: learning rate.
        iterations: steps.
    """

    batch: int
    lr: float
    iterations: int

    @property
    def interval(self) -> int:
        """Iterations between validations: a quarter of the training, or all of a short one."""
        # rounded up, as the last iteration is followed by a validation in any case
        return math.ceil(self.iterations / 4) if self.iterations >= SHORT else self.iterations

    @property
    def scheduler(self) -> list[dict[str, Any]]:
        """The learning rate's schedule: a warm-up of about a tenth, then falls.

        In few iterations some of the falls are one; with under four there is no warm-up.
        """
        warmup = min(WARMUP, max(2, self.iterations // 10))  # mmengine needs two steps for it
        steps: list[dict[str, Any]] = []
        if warmup <= self.iterations // 2:
            linear = dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=warmup)
            steps.append(linear)
        falls = {int(share * self.iterations) for share in FALLS}
        milestones = sorted(fall for fall in falls if warmup < fall < self.iterations)
        fall = dict(type="MultiStepLR", by_epoch=False, milestones=milestones, gamma=0.1)
        return [*steps, fall]

    def fields(self) -> dict[str, object]:
        """Return the values that a config needs."""
        return dict(
            batch=self.batch,
            lr=self.lr,
            iterations=self.iterations,
            never=self.iterations + 1,
            interval=self.interval,
            scheduler=self.scheduler,
        )

    def momentum(self, recipe: float) -> float:
        """Return the momentum of batch normalisation with which its statistics settle in time.

        Args:
            recipe: momentum of the recipe, which is never lowered.
        """
        return max(recipe, min(MOST_MOMENTUM, float(f"{SETTLED / self.iterations:.2g}")))


def schedule(
    recipe: Config,
    images: int,
    *,
    epochs: int | None = None,
    iterations: int | None = None,
    batch: int | None = None,
) -> Schedule:
    """Return the schedule of a recipe, changed for another data set.

    Args:
        recipe: its learning rate belongs to its published batch size (``auto_scale_lr``, else its
            own), and is scaled in proportion.
        images: number of training images.
        epochs: how often each is seen; ``EPOCHS`` where neither this nor ``iterations`` is given.
        iterations: steps, in place of ``epochs``.
        batch: images a step; the recipe's on one GPU unless given.
    """
    own = recipe.train_dataloader.batch_size
    batch = batch or own
    published = recipe.get("auto_scale_lr", {}).get("base_batch_size", own)
    lr = float(f"{recipe.optim_wrapper.optimizer.lr * batch / published:.3g}")
    return Schedule(batch, lr, iterations or math.ceil((epochs or EPOCHS) * images / batch))
