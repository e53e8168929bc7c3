"""Which pair stands where."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from ovdistill.teacher_training.data.draws import Draws, Passes


def test_every_pair_once_a_pass_in_an_order_of_its_own() -> None:
    passes = Passes(5, seed=0, source=0)
    drawn = [passes.index(number) for number in range(15)]
    orders = [drawn[start : start + 5] for start in (0, 5, 10)]
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert [Passes(5, seed=0, source=0).index(number) for number in range(10, 15)] == orders[2]
    assert passes.index(9) == orders[1][4]  # the pass before is still at hand
    other = Passes(100, seed=0, source=1)
    assert [other.index(i) for i in range(9)] != [Passes(100, 0, 0).index(i) for i in range(9)]


def test_one_source_is_drawn_in_turn() -> None:
    steps = list(islice(Draws([3.0], [None], 4, seed=0).steps(), 2))
    assert [numbers.tolist() for _, numbers in steps] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert not np.any([sources for sources, _ in steps])


def test_sources_are_mixed_by_weight_and_each_is_counted() -> None:
    draws = Draws([3, 1], [None, None], 50, seed=0)
    steps = list(islice(draws.steps(), 40))
    sources = np.concatenate([step[0] for step in steps])
    numbers = np.concatenate([step[1] for step in steps])
    assert {int((own == 0).sum()) for own, _ in steps} == {37, 38}
    assert draws.most() == [38, 13]
    assert (sources == 0).mean() == pytest.approx(0.75, abs=0.005)
    assert sources[:50].tolist() != sorted(sources[:50])
    for source in (0, 1):
        own = numbers[sources == source]
        assert own.tolist() == list(range(len(own)))
    again = list(islice(draws.steps(), 40))
    assert all((one[0] == other[0]).all() for one, other in zip(steps, again, strict=True))


def test_no_pair_stands_twice_in_a_step() -> None:
    """A pass with too few pairs left ends before the step."""
    steps = list(islice(Draws([1, 1], [7, 100], 10, seed=0).steps(), 60))
    for source, size in ((0, 7), (1, 100)):
        passes = Passes(size, 0, source)
        drawn = [[passes.index(n) for n in numbers[own == source]] for own, numbers in steps]
        assert all(len({*step}) == len(step) == 5 for step in drawn)
        assert {index for step in drawn for index in step} == {*range(size)}
    assert steps[1][1][steps[1][0] == 0].tolist() == [7, 8, 9, 10, 11]  # 5 and 6 are left out
    assert (
        steps[59][1][steps[59][0] == 1].max() == 60 * 5 - 1
    )  # nothing is left out of what the places divide
