"""Learns the context of class names (CoOp), as `ovdistill vocab learn` does.

Source: Zhou et al., "Learning to Prompt for Vision-Language Models" (CoOp), IJCV 2022, arXiv
2109.01134. Differences: regions are not augmented since they are embedded once, classes have the
same weight however many regions they have, and steps are those of ``learn_vocabulary``: 50 epochs
of plain SGD, where CoOp takes 200 at 16 shots (50 at one) with momentum 0.9, weight decay 5e-4 and
a warm-up of one epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch

from ovdistill.teacher_training.adapt.data import Adaptation, AdaptData, AdaptMethod
from ovdistill.vocabulary.learn import Recipe, Samples, learn_vocabulary


@dataclass(frozen=True, kw_only=True)
class CoOpMethod(AdaptMethod):
    """Settings of CoOp; batch, rate and number of vectors are those of its 16 shots.

    Attributes:
        context: number of context vectors.
        init: text to start from, in place of ``context`` random vectors.
        class_contexts: learn a context for each base class; other names take their mean.
    """

    name: ClassVar[str] = "coop"
    encodes_again: ClassVar[bool] = False

    epochs: int = 50
    batch: int = 32
    lr: float = 2e-3
    context: int = 16
    init: str | None = None
    class_contexts: bool = False

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Learn the context, see ``AdaptMethod`` and ``learn_vocabulary``."""
        recipe = Recipe(
            context=self.context,
            init=self.init,
            class_contexts=self.class_contexts,
            bins="single",
            background=0,
            epochs=self.epochs,
            batch=self.batch,
            lr=self.lr,
            seed=self.seed,
        )
        train = data.train
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
