"""What objectness tells, by hand."""

import pytest
import torch

from ovdistill.evaluation.regions.objectness import measure_objectness, separation


def test_separation_is_the_share_of_pairs():
    higher, lower = torch.tensor([0.2, 0.5, 0.9]), torch.tensor([0.1, 0.5])
    # 0.2: above one of two; 0.5: above one, equal to the other; 0.9: above both
    assert separation(higher, lower) == pytest.approx((1 + 1.5 + 2) / 6)
    assert separation(lower, higher) == pytest.approx(1 - (1 + 1.5 + 2) / 6)
    assert separation(higher[:0], lower) is None


SCORES = torch.tensor([0.9, 0.7, 0.8, 0.6, 0.95, 0.1])
ON_BASE = torch.tensor([True, True, True, False, False, False])
ON_NOVEL = torch.tensor([False, False, False, True, False, False])


def test_by_hand():
    found = measure_objectness(SCORES, ON_BASE, ON_NOVEL, novel_known=True)
    assert (found.labelled.regions, found.unlabelled.regions) == (3, 3)
    assert (found.novel.regions, found.rest.regions) == (1, 2)
    assert found.labelled.median == pytest.approx(0.8)
    assert found.rest.quantiles == pytest.approx((0.1, 0.1, 0.1, 0.95, 0.95))
    assert found.separation == pytest.approx(6 / 9)  # each of three is above two of three
    assert found.novel_separation == 0.5
    above = found.above_threshold
    assert (above.threshold, above.regions) == (0.5, 2)
    assert (above.share, above.novel_share) == pytest.approx((2 / 3, 1 / 2))
    assert found.above_median is not None
    assert (found.above_median.regions, found.above_median.novel_share) == (1, 0)


def test_without_novel_boxes_their_share_is_not_known():
    found = measure_objectness(SCORES, ON_BASE, ON_NOVEL & False, novel_known=False)
    assert found.above_threshold.novel_share is None
    assert found.above_threshold.share == pytest.approx(2 / 3)
    assert found.novel_separation is None


def test_without_a_labelled_region():
    found = measure_objectness(SCORES, ON_BASE & False, ON_NOVEL & False, novel_known=False)
    assert (found.labelled.quantiles, found.labelled.median, found.separation) == ((), None, None)
    assert found.above_median is None and found.above_threshold.regions == 5
