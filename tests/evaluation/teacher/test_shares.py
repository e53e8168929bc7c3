"""Shares and their intervals."""

import pytest
import torch

from ovdistill.evaluation.teacher.shares import Share, share_of


def sample(right: int, count: int) -> torch.Tensor:
    return torch.arange(count) < right


def test_wilson_by_hand():
    """8 of 10: centre (0.8 + 1.92073) / 1.384146, half width 1.416 * 0.16 to either side."""
    found = share_of(sample(8, 10))
    assert (found.count, found.share) == (10, 0.8)
    assert (found.low, found.high) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert share_of(sample(5, 100)).high == pytest.approx(0.111750, abs=1e-6)


def test_the_ends_stay_in_range():
    none, every = share_of(sample(0, 10)), share_of(sample(10, 10))
    assert (none.low, none.high) == pytest.approx((0, 0.277533), abs=1e-6)
    assert (every.low, every.high) == pytest.approx((1 - 0.277533, 1), abs=1e-6)
    assert none.low == 0 and every.high == 1


def test_of_nothing():
    assert share_of(sample(0, 0)) == Share(0, None, None, None)
