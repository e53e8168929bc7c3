"""A sampler that draws from several data sets in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from mmdet.registry import DATA_SAMPLERS
from mmengine.dataset import InfiniteSampler
from mmengine.dist import sync_random_seed
from torch.utils.data import ConcatDataset, Sampler

from ovdistill.core.errors import UserError


@DATA_SAMPLERS.register_module()
class InfiniteSourceSampler(Sampler[int]):
    """Draw batches of one data set each, in turn and without end.

    Ranks draw different images, of the same data set at the same time. Each data set is gone
    through in random order, again and again.

    Args:
        dataset: the joined data sets.
        batch_size: that of the data loader, on each rank. With 1, ``ratio`` counts images, so that
            every batch mixes the data sets, as old and new images in `continue_r18_shapes`.
        ratio: how many batches of each data set are drawn in turn: (1, 4) for one of the first,
            then four of the second.
        seed: of the random order, the same on all ranks.

    Raises:
        UserError: the data set is no ``ConcatDataset`` of as many data sets as ``ratio`` has
            numbers, or a number is not positive.
    """

    def __init__(
        self,
        dataset: ConcatDataset,
        batch_size: int,
        ratio: Sequence[int],
        seed: int | None = None,
    ) -> None:
        if not isinstance(dataset, ConcatDataset):
            raise UserError(
                f"InfiniteSourceSampler got a {type(dataset).__name__}; expected a ConcatDataset "
                "of the data sets to draw from."
            )
        sources = len(dataset.datasets)
        if len(ratio) != sources or min(ratio) < 1:
            raise UserError(
                f"InfiniteSourceSampler got ratio={tuple(ratio)} for {sources} data sets; "
                "expected a positive number for each data set of a ConcatDataset."
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.ratio = tuple(ratio)
        self.seed = sync_random_seed() if seed is None else seed
        self.indices = self._draw()

    def _draw(self) -> Iterator[int]:
        """Yield the indices of this rank from the start."""
        starts = [0, *self.dataset.cumulative_sizes[:-1]]
        samplers = [
            iter(InfiniteSampler(source, seed=self.seed + number))
            for number, source in enumerate(self.dataset.datasets)
        ]
        while True:
            for start, sampler, batches in zip(starts, samplers, self.ratio, strict=True):
                for index in islice(sampler, batches * self.batch_size):
                    yield start + index

    def __iter__(self) -> Iterator[int]:
        yield from self.indices

    def __len__(self) -> int:
        return len(self.dataset)

    def skip(self, count: int) -> None:
        """Leave out the first ``count`` indices of the stream, counted from its start."""
        self.indices = islice(self._draw(), count, None)

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: an endless stream has no epochs."""
