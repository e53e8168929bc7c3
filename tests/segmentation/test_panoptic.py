"""Instances over a label map."""

from __future__ import annotations

import torch

from ovdistill.segmentation.panoptic import join_panoptic

THING = torch.tensor([True, True, False, False])


def masks(*columns: range) -> torch.Tensor:
    found = torch.zeros(len(columns), 2, 10, dtype=torch.bool)
    for own, part in zip(found, columns, strict=True):
        own[:, list(part)] = True
    return found


def test_better_instances_lie_above_and_hide_those_that_they_mostly_cover():
    label_map = torch.full((2, 10), 2)
    rows, segments = join_panoptic(
        masks(range(0, 4), range(2, 8), range(1, 4)),
        torch.tensor([0, 1, 1]),
        torch.tensor([0.9, 0.8, 0.7]),
        label_map,
        THING,
        least_area=1,
    )
    assert rows[0].tolist() == [0] * 4 + [1] * 4 + [2] * 2
    assert segments[0].tolist() == [1] * 4 + [2] * 4 + [0] * 2


def test_instances_of_a_low_score_leave_their_pixels_to_others():
    label_map = torch.full((2, 10), 2)
    given = (
        masks(range(0, 4), range(2, 8), range(7, 9)),
        torch.tensor([0, 1, 0]),
        torch.tensor([0.5, 0.6, 0.7]),
        label_map,
        THING,
    )
    rows, segments = join_panoptic(*given, least_score=0.6, least_area=1)
    assert rows[0].tolist() == [2] * 2 + [1] * 5 + [0] * 2 + [2]
    assert segments[0].tolist() == [0] * 2 + [2] * 5 + [1] * 2 + [0]
    assert join_panoptic(*given, least_area=1)[1].amax() == 3


def test_things_of_the_label_map_and_small_stuff_belong_to_no_segment():
    label_map = torch.tensor([[0, 2, 2, 3, -1], [0, 2, 2, 2, -1]])
    nothing = torch.zeros(0, 2, 5, dtype=torch.bool)
    none = torch.zeros(0, dtype=torch.long)
    rows, segments = join_panoptic(nothing, none, torch.zeros(0), label_map, THING, least_area=2)
    assert rows.tolist() == [[-1, 2, 2, -1, -1], [-1, 2, 2, 2, -1]]
    assert segments.sum() == 0
