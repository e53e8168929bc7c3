"""Items that a thread computes in advance."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ovdistill.extraction.prefetch import prefetch


def test_items_and_errors_are_handed_on():
    def items():
        yield 1
        yield 2
        raise KeyError("third")

    made = prefetch(items())
    assert [next(made), next(made)] == [1, 2]
    with pytest.raises(KeyError, match="third"):
        next(made)
    assert list(prefetch([])) == []
    assert torch.equal(torch.cat([*prefetch(torch.arange(4).split(3))]), torch.arange(4))


def test_the_thread_has_one_core_and_leaves_the_others_alone():
    before = torch.get_num_threads()
    assert list(prefetch(torch.get_num_threads() for _ in range(3))) == [1, 1, 1]
    assert torch.get_num_threads() == before
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == before
