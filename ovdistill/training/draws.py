"""Draws of training images that an interrupted run repeats exactly when it is resumed.

A sampler gives the same indices again, because its stream depends on the seed only (and, in a
training that counts epochs, on the epoch). What an
augmentation draws at random depends on generators:

- of the main process, where it reads the images itself: their states are in the checkpoint, and are
  set when the data loader asks for its first index (not before, since making a loader's iterator
  draws a number);
- of the workers, which have read ahead when a checkpoint is written, so that no state of theirs
  belongs to it. There every image gets generators of its own, seeded by the run's seed, the rank
  and the number of the draw. So the images do not depend on the number of workers either.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATA_SAMPLERS, DATASETS
from torch.utils.data import DataLoader, Dataset, Sampler

from ovdistill.training.generators import States, set_generators


class Draw(int):
    """Index into a data set, which knows its place in the stream of its rank.

    Attributes:
        number: how many indices the rank has drawn before.
    """

    number: int

    @classmethod
    def make(cls, index: int, number: int) -> Draw:
        """Return the draw of an index."""
        draw = cls(index)
        draw.number = number
        return draw


class NumberedSampler(Sampler[Draw]):
    """A sampler that numbers its draws, and can be entered with the generators' states there.

    Args:
        sampler: config of a sampler.
        dataset: the data set that is drawn from.
        seed: of the run.

    Attributes:
        dataset: as given, which batch samplers look into.
        states: to be set when the first index is asked for; None = the generators are left alone.
    """

    def __init__(self, sampler: dict[str, Any], dataset: Any, seed: int | None = None) -> None:
        self.sampler = DATA_SAMPLERS.build(sampler, default_args=dict(dataset=dataset, seed=seed))
        self.dataset = dataset
        self.states: States | None = None
        self._first = 0

    def __iter__(self) -> Iterator[Draw]:
        if self.states is not None:
            set_generators(self.states)
            self.states = None
        for number, index in enumerate(self.sampler, self._first):
            yield Draw.make(index, number)

    def __len__(self) -> int:
        return len(self.sampler)

    def set_epoch(self, epoch: int) -> None:
        """Pass the number of the epoch on."""
        self.sampler.set_epoch(epoch)


def numbered_sampler(loader: DataLoader) -> NumberedSampler | None:
    """Return the sampler of a data loader that can be entered anywhere, or None.

    A loader with a batch sampler of its own has it within that one.
    """
    samplers = (loader.sampler, getattr(loader.batch_sampler, "sampler", None))
    return next((each for each in samplers if isinstance(each, NumberedSampler)), None)


@DATA_SAMPLERS.register_module()
class ResumableSampler(NumberedSampler):
    """An endless stream that can be entered anywhere; see ``NumberedSampler``.

    The sampler must have ``skip(count)``, as mmengine's ``InfiniteSampler``.
    """

    def skip(self, count: int) -> None:
        """Leave out the first ``count`` indices of the stream."""
        self.sampler.skip(count)
        self._first = count


@DATA_SAMPLERS.register_module()
class EpochSampler(NumberedSampler):
    """A pass over the images for each epoch, which can be entered at the start of any epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Go to the start of an epoch."""
        super().set_epoch(epoch)
        self._first = epoch * len(self)


@DATASETS.register_module()
class SeededDataset(Dataset[Any]):
    """A data set whose random augmentations depend on the draw only, for the workers of a loader.

    Args:
        dataset: config of the data set, whose attributes are those of this one too.
        seed: of the run.
        rank: of this process.
    """

    def __init__(self, dataset: dict[str, Any], seed: int, rank: int) -> None:
        self.dataset = DATASETS.build(dataset)
        self.seed, self.rank = seed, rank

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        if name == "dataset":  # while a copy in a worker has no attributes yet
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __getitem__(self, draw: Draw) -> Any:
        entropy = (self.seed, self.rank, draw.number)
        words = np.random.SeedSequence(entropy).generate_state(3).tolist()
        random.seed(words[0])
        np.random.seed(words[1])
        torch.manual_seed(words[2])
        return self.dataset[int(draw)]
