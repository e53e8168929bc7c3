"""How two runs of a detector are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ovdistill.inference.agreement import agreement, together
from ovdistill.inference.detections import Detections


@pytest.fixture
def found() -> Detections:
    boxes = np.array([[0, 0, 10, 10], [20, 20, 40, 40], [5, 5, 9, 9]], dtype=np.float32)
    masks = np.zeros((3, 50, 50), dtype=bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1:y2, x1:x2] = True
    scores = np.array([0.9, 0.5, 0.1], dtype=np.float32)
    return Detections(boxes, scores, np.array([0, 1, 0]), ("a", "b", "a"), masks)


def test_the_same_detections_agree(found):
    result = agreement(found, found, 0.2)
    assert result.detections == 4 and result.is_close and result.mask_iou == 1


def test_differences(found):
    moved = replace(
        found, boxes=found.boxes + np.float32([[1, 0, 1, 0]]), scores=found.scores - 0.01
    )
    result = agreement(found, moved, 0.2)
    assert not result.is_close and result.unmatched == 0
    assert result.score == pytest.approx(0.01) and result.box_iou == pytest.approx(90 / 110)


def test_a_detection_without_counterpart(found):
    assert agreement(found, found[:1], 0.2).unmatched == 1
    assert agreement(found[:1], found, 0.2).unmatched == 1
    assert agreement(found, found[:2], 0.2).is_close  # the third one's score is low
    renamed = replace(found, names=("b", "b", "a"))
    assert agreement(found, renamed, 0.2).unmatched == 2
    none = agreement(found[:0], found[:0], 0.2)
    assert none.is_close and together([none, agreement(found, found[:1], 0.2)]).unmatched == 1
