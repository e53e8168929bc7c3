"""Recall of class-agnostic boxes, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ovdistill.evaluation.recall import match, recalls


def test_match_is_one_to_one_and_takes_the_highest_overlap_first():
    truth = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8]])
    # IoU with the truth: (0.9, 8/9) and (0.5, 5/8)
    proposals = torch.tensor([[0.0, 0, 10, 9], [0, 0, 10, 5]])
    np.testing.assert_allclose(match(truth, proposals), [0.9, 0.625])
    np.testing.assert_allclose(match(truth, proposals[:1]), [0.9, 0])
    assert match(truth[:0], proposals).shape == (0,)
    np.testing.assert_array_equal(match(truth, proposals[:0]), [0, 0])


def test_recalls_by_hand():
    # 1.0 passes all ten thresholds, 0.7 the five of 0.5 .. 0.7, 0.4 none
    assert recalls(np.array([1.0, 0.7, 0.4])) == pytest.approx((100 * 15 / 30, 100 * 2 / 3))
    assert recalls(np.zeros(0)) == (-1, -1)
