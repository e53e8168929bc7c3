"""The schedule of a training on a user's own data, after that of a shipped recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config

MIN_ITERATIONS = 2000  # the running statistics of batch normalisation (momentum 0.003) settle
WARMUP = 1000
FALLS = (0.9, 0.95, 0.975)  # ViLD's, as shares of the training


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

    def fields(self) -> dict[str, object]:
        """Return the values that a config needs: a warm-up of at most a tenth, then three falls."""
        return dict(
            batch=self.batch,
            lr=self.lr,
            iterations=self.iterations,
            never=self.iterations + 1,
            interval=self.iterations // 4,
            warmup=min(WARMUP, self.iterations // 10),
            falls=[int(share * self.iterations) for share in FALLS],
        )


def schedule(recipe: Config, images: int, epochs: int, batch: int | None = None) -> Schedule:
    """Return the schedule of a recipe, changed for another data set.

    Args:
        recipe: its learning rate belongs to its published batch size (``auto_scale_lr``, else its
            own), and is scaled in proportion.
        images: number of training images.
        epochs: how often each is seen; at least ``MIN_ITERATIONS`` steps are made.
        batch: images a step; the recipe's on one GPU unless given.
    """
    own = recipe.train_dataloader.batch_size
    batch = batch or own
    published = recipe.get("auto_scale_lr", {}).get("base_batch_size", own)
    lr = float(f"{recipe.optim_wrapper.optimizer.lr * batch / published:.3g}")
    return Schedule(batch, lr, max(MIN_ITERATIONS, epochs * images // batch))
