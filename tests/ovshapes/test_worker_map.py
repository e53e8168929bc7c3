"""Jobs in several processes."""

from __future__ import annotations

import os

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


def test_a_lost_worker_is_an_error():
    with pytest.raises(RuntimeError, match="0"):
        list(map_in_order(os._exit, 4, workers=2))
