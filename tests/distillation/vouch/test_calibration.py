"""Objectness, calibrated on labelled objects: by hand, on odd scores, and on two ranks."""

import pytest
import torch

from ovdistill.distillation.vouch.calibration import (
    CELLS,
    ObjectnessCalibration,
    medians,
    separation,
)

from ..ranks import run_on_ranks


def calibrated(others: list[float], labelled: list[float]) -> ObjectnessCalibration:
    calibration = ObjectnessCalibration()
    scores = torch.tensor(others + labelled)
    calibration.update(scores, torch.arange(len(scores)) >= len(others))
    return calibration


def test_medians_and_separation_by_hand():
    # cells of a quarter: 2, 2, 0, 0 below, 0, 1, 2, 1 above
    counts = torch.tensor([[2.0, 2, 0, 0], [0, 1, 2, 1]])
    assert medians(counts).tolist() == pytest.approx([0.25, 0.5 + 0.25 / 2])
    # the one in the second cell beats 2 and ties with 2, the others beat 4
    assert separation(counts).item() == pytest.approx((3 + 2 * 4 + 4) / 16)
    empty = torch.zeros(2, 4)
    assert medians(empty).tolist() == [0, 0] and separation(empty).item() == 0.5


def test_evidence_runs_from_one_median_to_the_other():
    calibration = calibrated([0.4] * 5, [0.9] * 3)
    scores = torch.tensor([0.0, 0.4, 0.65, 0.9, 1.0])
    found = calibration.evidence(scores).tolist()
    assert found == pytest.approx([0, 0, 0.5, 1, 1], abs=2 / CELLS)
    assert calibration.trust().item() == 1


def test_scores_that_tell_nothing_are_not_trusted():
    calibration = calibrated([0.3, 0.5, 0.7, 0.9], [0.3, 0.5, 0.7, 0.9])
    assert calibration.trust().item() == 0
    calibration = calibrated([0.9, 0.9], [0.1, 0.1])  # worse than chance
    assert calibration.trust().item() == 0
    found = calibration.evidence(torch.tensor([0.0, 0.5, 1.0]))
    assert found.isfinite().all() and found.min() >= 0 and found.max() <= 1


def test_without_regions_or_labels_nothing_breaks():
    calibration = ObjectnessCalibration()
    calibration.update(torch.zeros(0), torch.zeros(0, dtype=torch.bool))
    assert calibration.trust().item() == 0
    calibration.update(torch.tensor([1.0, 0.0]), torch.tensor([False, False]))
    assert calibration.trust().item() == 0 and calibration.counts.sum() == 2


def test_old_counts_are_forgotten():
    calibration = calibrated([0.1], [0.9])
    for _ in range(2000):
        calibration.update(torch.tensor([0.5, 0.6]), torch.tensor([False, True]))
    assert medians(calibration.counts).tolist() == pytest.approx([0.5, 0.6], abs=1.5 / CELLS)


def _counts(rank: int) -> list[float]:
    calibration = ObjectnessCalibration()
    calibration.update(torch.tensor([0.2 + 0.6 * rank]), torch.tensor([rank == 1]))
    return [calibration.trust().item(), *medians(calibration.counts).tolist()]


def test_ranks_count_together():
    first, second = run_on_ranks(_counts)
    assert first == second and first[0] == 1
    assert first[1:] == pytest.approx([0.2, 0.8], abs=1 / CELLS)
