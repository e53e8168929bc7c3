"""Of regions that overlap in an image the first is left, worked out by hand."""

from __future__ import annotations

import pytest

from ovdistill.inference.search.one_object import best_of_objects, box_iou

FIRST = (0.0, 0.0, 10.0, 10.0)


def test_the_iou_of_boxes() -> None:
    assert box_iou(FIRST, FIRST) == 1
    assert box_iou(FIRST, (5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert box_iou(FIRST, (10, 0, 20, 10)) == box_iou(FIRST, (30, 30, 40, 40)) == 0
    assert box_iou((1, 1, 1, 5), (1, 1, 1, 5)) == 0


def test_the_best_of_each_object() -> None:
    regions = [
        (7, FIRST),
        (8, FIRST),  # of another image
        (7, (0, 0, 10, 6)),  # 0.6 of the first: the same object
        (7, (0, 0, 10, 5)),  # 0.5 is not above the limit
        (7, (0, 4, 10, 5)),  # 0.2 of the one before; one that was left out takes nothing with it
        (8, (1, 0, 10, 10)),
    ]
    assert best_of_objects(regions, 99) == [0, 1, 3, 4]
    assert best_of_objects(regions, 3) == [0, 1, 3]
    assert best_of_objects([], 3) == []


def test_no_more_is_looked_at_than_needed() -> None:
    left = iter([(1, FIRST), (2, FIRST), (3, FIRST)])
    assert best_of_objects(left, 2) == [0, 1]
    assert next(left) == (3, FIRST)
