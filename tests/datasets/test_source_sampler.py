"""Batches of one data set each, on every rank, from any place in the stream."""

from itertools import islice

import pytest
from torch.utils.data import ConcatDataset

from ovdistill.core.errors import UserError
from ovdistill.datasets.source_sampler import InfiniteSourceSampler

JOINED = ConcatDataset([range(6), range(100, 110)])


def drawn(count: int, skip: int = 0, **options) -> list[int]:
    sampler = InfiniteSourceSampler(JOINED, batch_size=2, ratio=(1, 2), seed=3, **options)
    if skip:
        sampler.skip(skip)
    return list(islice(sampler, count))


def test_batches_are_of_one_data_set_each_in_the_given_ratio():
    images = [JOINED[index] for index in drawn(60)]
    batches = [images[start : start + 2] for start in range(0, 60, 2)]
    kinds = [{image >= 100 for image in batch} for batch in batches]
    assert kinds == [{False}, {True}, {True}] * 10
    # each data set is gone through before an image comes again
    first = [image for image in images if image < 100]
    second = [image for image in images if image >= 100]
    assert sorted(first[:6]) == sorted(first[6:12]) == [*range(6)] and first[:6] != first[6:12]
    assert sorted(second[:10]) == [*range(100, 110)]


def test_batches_that_mix_the_data_sets():
    sampler = InfiniteSourceSampler(JOINED, batch_size=1, ratio=(1, 3), seed=3)
    images = [JOINED[index] for index in islice(sampler, 80)]
    for start in range(0, 80, 8):
        assert sum(image < 100 for image in images[start : start + 8]) == 2


def test_the_stream_can_be_entered_anywhere():
    assert drawn(20, skip=7) == drawn(27)[7:]


def test_ranks_draw_different_images_of_the_same_data_set(monkeypatch):
    found = []
    for rank in range(2):
        monkeypatch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, 2))
        found.append(drawn(12))
    assert all((a < 6) == (b < 6) and a != b for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("ratio", [(1,), (1, 0), (1, 2, 3)])
def test_a_ratio_that_does_not_fit(ratio):
    with pytest.raises(UserError, match="for 2 data sets"):
        InfiniteSourceSampler(JOINED, batch_size=2, ratio=ratio)


@pytest.mark.parametrize("ratio", [(1,), (1, 4)])
def test_a_single_data_set(ratio):
    with pytest.raises(UserError, match="got a range; expected a ConcatDataset"):
        InfiniteSourceSampler(JOINED.datasets[0], batch_size=2, ratio=ratio)
