"""Learns the context of class names (CoOp), by the loop of `ovdistill vocab learn`.

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
        epochs: passes over the regions; None for as many as ``paper_epochs`` says of at most 16
            regions of a class, and for the steps of 16 of each where there are more.
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
        published = paper_epochs(train.labels)
        epochs = self.epochs or math.ceil(published * share_of_shots(train.labels))
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
            warmup=1 / published,  # one epoch of the paper's
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
            facts=dict(epochs=epochs),
        )


def paper_epochs(labels: Tensor) -> int:
    """Return the paper's epochs by the class with most regions: 50 of one, 100 of 2 to 4, then 200.

    Args:
        labels: (n,) int64 of the regions, n > 0.
    """
    most = int(labels.bincount().max())
    return 50 if most == 1 else 100 if most <= 4 else 200


def share_of_shots(labels: Tensor) -> float:
    """Return the share of the regions that is left with at most 16 of a class.

    Args:
        labels: (n,) int64 of the regions, n > 0.
    """
    return int(labels.bincount().clamp(max=SHOTS).sum()) / len(labels)
