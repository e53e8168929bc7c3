"""Jobs in several processes."""

from __future__ import annotations

import os
from functools import partial
from operator import floordiv

import pytest

from ovdistill.ovshapes.worker_map import map_in_order


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_order(workers):
    assert list(map_in_order(abs, 4, workers)) == [0, 1, 2, 3]


def test_it_can_be_closed_early():
    results = map_in_order(abs, 1000, workers=2)
    assert next(results) == 0
    results.close()
    assert list(results) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_job_raises_is_raised_here(workers):
    results = map_in_order([10, 11, 12].__getitem__, 5, workers)
    assert [next(results) for _ in range(3)] == [10, 11, 12]
    with pytest.raises(IndexError):
        next(results)
    with pytest.raises(ZeroDivisionError) as raised:
        list(map_in_order(partial(floordiv, 6), 4, workers))
    assert workers == 1 or "in _work" in str(raised.value.__cause__)


def test_a_lost_worker_is_an_error():
    with pytest.raises(RuntimeError, match="0"):
        list(map_in_order(os._exit, 4, workers=2))
