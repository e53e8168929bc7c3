"""Reliability of scores, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.evaluation.reliability import measure_reliability


def test_two_bins_of_two():
    scores, right = np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, False, True, False])
    found = measure_reliability(scores, right, bins=2)
    assert found.counts.tolist() == [2, 2]
    assert found.scores == pytest.approx([0.1, 0.9])
    assert found.shares.tolist() == [0, 0.5]
    assert found.error == pytest.approx((0.1 + 0.4) / 2)


def test_the_score_one_is_in_the_last_bin():
    assert measure_reliability(np.ones(3), np.ones(3, bool)).counts[-1] == 3


def test_nothing_has_no_error_that_could_be_small():
    assert measure_reliability(np.zeros(0), np.zeros(0, bool)).error == -1
