"""Batches of pairs from several sources, loaded by worker processes, the same in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.core.interrupts import held_interrupts
from ovdistill.datasets.bad_images import BadImages
from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.data.augmentation import Augmentation
from ovdistill.teacher_training.data.collate import LoadedPair, collate, load_pair
from ovdistill.teacher_training.data.draws import Draws, Passes
from ovdistill.teacher_training.data.source import BatchPlan, BatchSource, Pair, PairSource
from ovdistill.teacher_training.data.stream import PairStream

Load = Callable[[np.random.Generator], Pair]  # a pair that is not loaded yet


class PairBatches(BatchSource):
    """Mixes sources of pairs.

    Args:
        sources: with their weights; by default each pair is drawn equally often.
        augmentation: of all of them.

    Raises:
        UserError: sources with and without a weight.
    """

    def __init__(self, sources: Sequence[PairSource], augmentation: Augmentation) -> None:
        self.sources = sources
        self.augmentation = augmentation
        given = [source.weight for source in sources if source.weight is not None]
        if given and (len(given) < len(sources) or min(given) <= 0):
            raise UserError(
                f"{len(given)} of {len(sources)} sources of data have a weight ({given}); expected "
                "a positive one for each, or for none"
            )
        streams = sum(isinstance(source, PairStream) for source in sources)
        if streams and len(sources) > 1 and not given:
            raise UserError("several sources, some without a known length; give each a weight=")
        self.weights = given or [1.0 if streams else float(len(source)) for source in sources]
        self.provides = tuple(sorted({name for source in sources for name in source.provides}))
        names = {name for source in sources for name in source.class_names}
        classes = {name: label for label, name in enumerate(sorted({*map(clean_name, names)}))}
        self.labels = {name: classes[clean_name(name)] for name in names}

    def batches(self, plan: BatchPlan, first: int) -> Iterator[TrainingBatch]:
        """Yield the batches of a process, see ``BatchSource``; skipped images are in its list."""
        draws = self.draws(plan)
        for source, size, most in zip(self.sources, draws.sizes, draws.most(), strict=True):
            if size is not None and size < most:
                raise UserError(
                    f"a batch of {draws.places} pairs has {most} of a {type(source).__name__}, "
                    f"which has {size}; expected no pair twice in it: give a smaller "
                    "training.batch, or the source a smaller weight="
                )
        loader: DataLoader[TrainingBatch] = DataLoader(
            _Batches(self, plan, first), batch_size=None, num_workers=plan.workers
        )
        with held_interrupts():
            batches = iter(loader)
        yield from batches

    def draws(self, plan: BatchPlan) -> Draws:
        """Return which source each place of a step is filled from."""
        sizes = [None if isinstance(source, PairStream) else len(source) for source in self.sources]
        return Draws(self.weights, sizes, plan.batch * plan.ranks, plan.seed)


class _Batches(IterableDataset[TrainingBatch]):
    """What one worker loads: every ``workers``-th batch, so that all are in order."""

    def __init__(self, pairs: PairBatches, plan: BatchPlan, first: int) -> None:
        self.pairs, self.plan, self.first = pairs, plan, first
        self.bad = BadImages(plan.bad_images, plan.max_bad_images)

    def __iter__(self) -> Iterator[TrainingBatch]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        for step, loads in enumerate(self._steps()):
            if step >= self.first and (step - self.first) % workers == worker:
                yield self._load(step, loads)

    def _steps(self) -> Iterator[list[Load]]:
        """Yield the pairs of this process of each step, none of them loaded."""
        plan, sources = self.plan, self.pairs.sources
        passes: dict[int, Passes] = {}
        streams: dict[int, Iterator[Load]] = {}
        for number, source in enumerate(sources):
            if isinstance(source, PairStream):
                streams[number] = source.stream(plan.seed, plan.rank, plan.ranks)
            else:
                passes[number] = Passes(len(source), plan.seed, number)
        own = slice(plan.rank * plan.batch, (plan.rank + 1) * plan.batch)
        for chosen, numbers in self.pairs.draws(plan).steps():
            yield [
                next(streams[number])
                if number in streams
                else _Indexed(sources[number], passes[number], count)
                for number, count in zip(chosen[own].tolist(), numbers[own].tolist(), strict=True)
            ]

    def _load(self, step: int, loads: list[Load]) -> TrainingBatch:
        """Load a batch; a pair whose image cannot be used is replaced by another one of it."""
        plan = self.plan
        start = (step * plan.ranks + plan.rank) * plan.batch
        loaded: list[LoadedPair | None] = []
        for place, load in enumerate(loads, start):
            rng = np.random.default_rng((plan.seed, place))
            try:
                pair = load(rng)
            except ImageError as error:
                self._skip(error)
                loaded.append(None)
            else:
                loaded.append(load_pair(pair, plan, self.pairs.augmentation, rng))
        good = [pair for pair in loaded if pair is not None]
        if not good:
            raise UserError(f"no image of batch {step} can be used; see {plan.bad_images}")
        spare = iter(good * len(loaded))
        return collate([pair or next(spare) for pair in loaded], plan, self.pairs.labels)

    def _skip(self, error: ImageError) -> None:
        if not self.bad.limit:
            raise UserError(
                f"{error}. The training data name it: fetch it again, or skip such images with "
                "--max-bad-images N."
            ) from None
        self.bad.add(error.path, error.problem)


class _Indexed:
    """A pair of a source with indices; which one is found when it is loaded."""

    def __init__(self, source: PairSource, passes: Passes, number: int) -> None:
        self.source, self.passes, self.number = source, passes, number

    def __call__(self, rng: np.random.Generator) -> Pair:
        return self.source.load(self.passes.index(self.number), rng)
