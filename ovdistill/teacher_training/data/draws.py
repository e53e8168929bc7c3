"""Which pair of which source stands at each place of each batch.

The order depends on the seed alone: neither on the number of processes, which share the places of a
step among them, nor on that of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

CHOICE, ORDER = 1, 2  # the second numbers of the generators' seeds


class Draws:
    """Endless stream of places: each is filled by the next pair of a source, drawn by weight.

    Each source is gone through in random order, again and again. A step has as many places of each
    source as its weight says, up to rounding, and no pair twice: a pass that has too few pairs left
    for a step ends before it, and the next one, in another order, begins.

    Args:
        weights: how often each source is drawn from; their sum may be any.
        sizes: number of pairs of each source; None for one that is not gone through by index.
        places: of a step, over all processes.
        seed: random seed.
    """

    def __init__(
        self, weights: Sequence[float], sizes: Sequence[int | None], places: int, seed: int
    ) -> None:
        self.expected = places * np.asarray(weights, float) / np.sum(weights)
        self.sizes = sizes
        self.places = places
        self.seed = seed

    def most(self) -> list[int]:
        """Return the largest number of places of each source in a step."""
        return np.ceil(self.expected.round(9)).astype(int).tolist()

    def steps(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the steps from the first on.

        Yields:
            (places,) int64 number of the source of each place; (places,) int64 which of the pairs
            of this source stands there, counted through all of its passes.
        """
        begin = np.zeros(len(self.sizes), np.int64)
        for step in count():
            sources = self._sources(step)
            numbers = np.zeros(self.places, np.int64)
            for source, size in enumerate(self.sizes):
                own = np.flatnonzero(sources == source)
                if size is not None and begin[source] % size + len(own) > size:
                    begin[source] += size - begin[source] % size
                numbers[own] = begin[source] + np.arange(len(own))
                begin[source] += len(own)
            yield sources, numbers

    def _sources(self, step: int) -> np.ndarray:
        """Return (places,) int64 the number of the source of each place of a step."""
        if len(self.sizes) == 1:
            return np.zeros(self.places, np.int64)
        rng = np.random.default_rng((self.seed, CHOICE, step))
        ends = np.floor(self.expected.cumsum().round(9) + rng.random()).astype(np.int64)
        ends[-1] = self.places
        return rng.permutation(np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0)))


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
        """Return the index of the pair at a place, counted through all passes."""
        epoch, position = divmod(number, self.size)
        if epoch not in self._orders:
            kept = {epoch - 1: self._orders[epoch - 1]} if epoch - 1 in self._orders else {}
            rng = np.random.default_rng((self.seed, ORDER, self.source, epoch))
            self._orders = {**kept, epoch: rng.permutation(self.size)}
        return int(self._orders[epoch][position])
