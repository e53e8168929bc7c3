"""Sources of pairs that can only be read from the start on, such as tar files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator

import numpy as np

from ovdistill.teacher_training.data.source import Pair, PairSource


class PairStream(PairSource):
    """Base class of sources without indices and without a known length.

    Each process reads a share of its own, so that the batches depend on the number of processes.
    """

    def __len__(self) -> int:
        """Raise TypeError: the length is not known."""
        raise TypeError(f"{type(self).__name__} has no length")

    def load(self, index: int, rng: np.random.Generator) -> Pair:
        """Raise TypeError: there are no indices."""
        raise TypeError(f"{type(self).__name__} has no indices")

    @abstractmethod
    def stream(
        self, seed: int, rank: int, ranks: int
    ) -> Iterator[Callable[[np.random.Generator], Pair]]:
        """Yield pairs that are not decoded yet, without end and in an order that the seed gives.

        What is skipped, as by a run that is resumed, costs the reading only.

        Args:
            seed: random seed.
            rank: of this process.
            ranks: number of processes.
        """
