"""Learns the context of class names (CoOp), as `ovdistill vocab learn` does.

Source: Zhou et al., "Learning to Prompt for Vision-Language Models" (CoOp), IJCV 2022, arXiv
2109.01134. Differences: regions are not augmented since they are embedded once, classes have the
same weight however many regions they have, and the learning rate falls each step, not each epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ovdistill.teacher_training.adapt.data import Adaptation, AdaptData, AdaptMethod
from ovdistill.vocabulary.learn import Recipe, Samples, learn_vocabulary

SHOTS = 16  # of a class, the most in the paper


@dataclass(frozen=True, kw_only=True)
class CoOpMethod(AdaptMethod):
    """Settings of CoOp; the defaults are the paper's and its released code's.

    Attributes:
        epochs: passes over the regions; None for the paper's number, see ``epochs_for``.
        context: number of context vectors.
        init: text to start from, in place of ``context`` random vectors.
        class_contexts: learn a context for each base class; other names take their mean.
    """

    name: ClassVar[str] = "coop"
    encodes_again: ClassVar[bool] = False

    epochs: int | None = None
    batch: int = 32
    lr: float = 2e-3
    context: int = 16
    init: str | None = None
    class_contexts: bool = False

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Learn the context, see ``AdaptMethod`` and ``learn_vocabulary``."""
        train = data.train
        epochs = self.epochs or epochs_for(train.labels)
        recipe = Recipe(
            context=self.context,
            init=self.init,
            class_contexts=self.class_contexts,
            bins="single",
            background=0,
            epochs=epochs,
            batch=self.batch,
            lr=self.lr,
            momentum=0.9,
            weight_decay=5e-4,
            warmup=min(1, epochs - 1),
            seed=self.seed,
        )
        samples = Samples(train.embeddings, train.labels, torch.ones(len(train)))
        vocabulary = learn_vocabulary(
            data.vocabulary, data.teacher, samples, recipe, data.source, report
        )
        return Adaptation(
            teacher=data.teacher,
            vocabulary=vocabulary,
            write=vocabulary.save,
            images=lambda regions: regions,
        )


def epochs_for(labels: Tensor) -> int:
    """Return the paper's number of epochs for so many regions of a class.

    It is 50 for one, 100 for 2 to 4 and 200 for 5 to 16, by the class that has most. The paper has
    no more than 16; of more regions there are so many epochs that steps are those of 16 of each.

    Args:
        labels: (n,) int64 of the regions, n > 0.
    """
    counts = labels.bincount()
    most = int(counts.max())
    if most > SHOTS:
        return math.ceil(200 * int(counts.clamp(max=SHOTS).sum()) / len(labels))
    return 50 if most == 1 else 100 if most <= 4 else 200
