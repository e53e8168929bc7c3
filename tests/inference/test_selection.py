"""Which detections of a detector a user gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from ovdistill.core.errors import UserError
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.limits import Limits, make_limits
from ovdistill.inference.selection import select


def instances() -> InstanceData:
    """Five detections without overlap, of "star" (0), "ring" (1) and a background text (2)."""
    masks = torch.zeros(5, 4, 4)
    masks[3, :2] = 1
    corners = torch.arange(5.0)[:, None] * 20
    return InstanceData(
        bboxes=torch.cat([corners, corners, corners + 10, corners + 10], dim=1),
        scores=torch.tensor([0.2, 0.9, 0.5, 0.8, 0.95]),
        labels=torch.tensor([0, 1, 0, 1, 2]),
        masks=masks,
    )


def test_the_best_wanted_detections_in_order():
    found = select(instances(), ("star", "ring"), Limits(0.3, 2))
    assert found.names == ("ring", "ring") and found.queries == ("star", "ring")
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_array_equal(found.boxes[1], [60, 60, 70, 70])
    assert found.masks.dtype == bool and found.masks[1].sum() == 8
    assert len(select(instances(), ("star", "ring"), Limits(0.3))) == 3
    assert len(select(instances(), ("star", "ring"), Limits(0.99))) == 0


def test_an_object_has_one_name_unless_both_are_wanted():
    twins = instances()
    twins.bboxes[2] = twins.bboxes[1] + 0.5  # a star where a better ring is
    assert select(twins, ("star", "ring"), Limits(0.3)).names == ("ring", "ring")
    both = select(twins, ("star", "ring"), Limits(0.3, same_object=1))
    assert both.names == ("ring", "ring", "star")


def test_runners_up_keep_to_their_detections():
    known = instances()
    known.runner_up = torch.tensor([1, 2, -1, 0, 0])
    known.runner_up_scores = torch.tensor([0.1, 0.2, 0.0, 0.4, 0.5])
    found = select(known, ("star", "ring"), Limits(0.3), ("star", "ring", "moon"))
    assert found.runner_up_names == ("moon", "star", None)
    np.testing.assert_allclose(found.runner_up_scores, [0.2, 0.4, 0.0])


@pytest.mark.parametrize("place", ["bboxes", "scores"])
def test_numbers_that_are_not_finite_are_an_error(place):
    broken = instances()
    broken[place][1] = float("nan")
    with pytest.raises(UserError, match="finite"):
        select(broken, ("star",), Limits())


def test_thresholds_of_single_names():
    limits = make_limits({"ring": 0.85}, 100, ("star", "ring"))
    assert select(instances(), ("star", "ring"), limits).names == ("ring", "star")
    assert select(
        instances(), ("star", "ring"), Limits(0.3, 1, thresholds={"star": 0.1})
    ).names == ("ring",)
    for scores, message in (({"moon": 0.5}, "moon"), (1.5, "1.5"), ({"star": -1}, "-1")):
        with pytest.raises(UserError, match=message):
            make_limits(scores, 100, ("star", "ring"))


def test_limits_are_of_calibrated_scores():
    curve = Calibration(1.0, -2.0)  # 0.9 becomes 0.55, 0.8 becomes 0.35
    found = select(instances(), ("star", "ring"), Limits(0.4), calibration=curve)
    assert len(found) == 1 and found.scores[0] == pytest.approx(0.549, abs=1e-3)
