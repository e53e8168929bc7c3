"""Which pair of which source stands at each place of each batch.

The order depends on the seed alone: neither on the number of processes, which share the places of a
step among them, nor on that of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

CHOICE, ORDER = 1, 2  # the second numbers of the generators' seeds


class Draws:
    """Endless stream of places: each is filled by the next pair of a source, drawn by weight.

    Each source is gone through in random order, again and again.

    Args:
        weights: how often each source is drawn from; their sum may be any.
        places: of a step, over all processes.
        seed: random seed.
    """

    def __init__(self, weights: Sequence[float], places: int, seed: int) -> None:
        self.shares = np.asarray(weights, float) / np.sum(weights)
        self.places = places
        self.seed = seed

    def steps(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the steps from the first on.

        Yields:
            (places,) int64 number of the source of each place; (places,) int64 how many pairs of
            this source have been drawn before.
        """
        drawn = np.zeros(len(self.shares), np.int64)
        step = 0
        while True:
            if len(self.shares) == 1:
                sources: np.ndarray = np.zeros(self.places, np.int64)
            else:
                rng = np.random.default_rng((self.seed, CHOICE, step))
                sources = rng.choice(len(self.shares), self.places, p=self.shares)
            before = np.zeros(self.places, np.int64)
            for source in range(len(self.shares)):
                own = np.flatnonzero(sources == source)
                before[own] = drawn[source] + np.arange(len(own))
                drawn[source] += len(own)
            yield sources, before
            step += 1


class Passes:
    """Passes through a source in random order, another one each time.

    Args:
        size: pairs of the source.
        seed: random seed.
        source: number of the source.
    """

    def __init__(self, size: int, seed: int, source: int) -> None:
        self.size, self.seed, self.source = size, seed, source
        self._orders: dict[int, np.ndarray] = {}

    def index(self, number: int) -> int:
        """Return the index of the pair that is drawn after ``number`` others."""
        epoch, position = divmod(number, self.size)
        if epoch not in self._orders:
            kept = {epoch - 1: self._orders[epoch - 1]} if epoch - 1 in self._orders else {}
            rng = np.random.default_rng((self.seed, ORDER, self.source, epoch))
            self._orders = {**kept, epoch: rng.permutation(self.size)}
        return int(self._orders[epoch][position])
