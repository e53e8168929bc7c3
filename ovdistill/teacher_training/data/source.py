"""The two seams of training data: sources of pairs, and sources of whole batches.

A ``PairSource`` gives one image with its text at a time; sources of several kinds mix in a batch,
which ``PairBatches`` makes of them. A ``BatchSource`` makes batches itself, where what belongs into
one batch depends on the rest of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from torch import Tensor

from ovdistill.teacher_training.batch import TrainingBatch


@dataclass(frozen=True, eq=False)
class Pair:
    """An image and what is said of it.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        text: its text.
        class_name: the name of its class; None for one that only its own text fits.
        boxes: (b, 4) float32 xyxy, absolute pixels of the image.
        phrases: a phrase for each box.
    """

    image: np.ndarray
    text: str
    class_name: str | None = None
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    phrases: tuple[str, ...] = ()


class PairSource(ABC):
    """Base class of the sources of image-text pairs.

    Attributes:
        provides: what the pairs have, see ``Objective.needs``.
        class_names: the classes of its pairs; empty where they have none. Names that ``clean_name``
            makes equal, in any source, are one class.
        weight: how often it is drawn from, compared with the other sources.
    """

    provides: ClassVar[tuple[str, ...]] = ("images", "texts", "views")
    class_names: Sequence[str] = ()

    def __init__(self, weight: float | None = None) -> None:
        self.weight = weight

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of pairs."""

    @abstractmethod
    def load(self, index: int, rng: np.random.Generator) -> Pair:
        """Load a pair.

        Args:
            index: of the pair.
            rng: chooses where there is a choice: one of several captions, a template.

        Raises:
            ImageError: the image cannot be used.
        """


@dataclass(frozen=True)
class BatchPlan:
    """What the batches of one process must be like.

    Attributes:
        batch: N, pairs of a batch.
        image_size: S, side of the tower's input.
        normalize: makes (..., 3, S, S) float32 inputs of uint8 RGB pixels.
        interpolation: of the tower's preprocessing, 'bicubic' or 'bilinear'.
        tokenize: makes (n, L) int64 of n texts.
        needs: what the objectives need, see ``Objective.needs``.
        seed: of all that is random.
        rank: of this process.
        ranks: number of processes.
        workers: processes that load images; 0 for none beside this one.
        bad_images: path of the list of images that cannot be used.
        max_bad_images: how many of them may be skipped.
    """

    batch: int
    image_size: int
    normalize: Callable[[Tensor], Tensor]
    interpolation: str
    tokenize: Callable[[list[str]], Tensor]
    needs: frozenset[str] = frozenset({"images", "texts"})
    seed: int = 0
    rank: int = 0
    ranks: int = 1
    workers: int = 0
    bad_images: str = "bad_images.txt"
    max_bad_images: int = 0


class BatchSource(ABC):
    """Base class of sources that make whole batches.

    Attributes:
        provides: what the batches have, see ``Objective.needs``.
        divisible: whether a batch can be encoded in parts.
    """

    provides: tuple[str, ...] = ("images", "texts")
    divisible: ClassVar[bool] = True

    @abstractmethod
    def batches(self, plan: BatchPlan, first: int) -> Iterator[TrainingBatch]:
        """Yield the batches of a process without end.

        They depend on the plan and the number of the step only, so that a run that is resumed sees
        what it would have seen.

        Args:
            plan: what they must be like.
            first: number of the first step, from 0.

        Raises:
            UserError: the plan does not fit the source.
        """
