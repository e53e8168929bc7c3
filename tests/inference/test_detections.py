"""The conversion of a detector's output, and of detections to JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from pycocotools import mask as mask_utils

from ovdistill.core.errors import UserError
from ovdistill.inference.detections import Detections, select


def detections(n: int) -> Detections:
    """n boxes with scores and square masks."""
    start = np.random.default_rng(n).uniform(0, 40, (n, 2)).astype(np.float32)
    boxes = np.concatenate([start, start + 21], axis=1)
    masks = np.zeros((n, 64, 64), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2] = True
    labels = np.arange(n) % 3
    names = tuple("abc"[label] for label in labels)
    return Detections(boxes, np.linspace(0.9, 0.3, n, dtype=np.float32), labels, names, masks)


def test_select_keeps_the_best_wanted_detections_in_order():
    masks = torch.zeros(5, 4, 4)
    masks[3, :2] = 1
    instances = InstanceData(
        bboxes=torch.arange(20.0).reshape(5, 4),
        scores=torch.tensor([0.2, 0.9, 0.5, 0.8, 0.95]),
        labels=torch.tensor([0, 1, 0, 1, 2]),  # 2: a background word
        masks=masks,
    )
    found = select(instances, ("star", "ring"), score_threshold=0.3, max_dets=2)
    assert found.names == ("ring", "ring")
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_array_equal(found.boxes[1], [12, 13, 14, 15])
    assert found.masks.dtype == bool and found.masks[1].sum() == 8
    assert len(select(instances, ("star", "ring"), 0.3, 100)) == 3
    assert len(select(instances, ("star", "ring"), 0.99, 100)) == 0


def test_records_hold_boxes_and_masks_as_json():
    found = detections(2)
    records = found.records()
    assert records[0]["name"] == found.names[0] and records[0]["score"] == 0.9
    assert json.loads(json.dumps(records)) == records
    np.testing.assert_allclose(records[1]["box"], found.boxes[1], atol=0.01)
    np.testing.assert_array_equal(mask_utils.decode(records[1]["mask"]), found.masks[1])
    assert detections(0).records() == []


def test_masks_of_a_reduced_image_are_written_at_its_full_size():
    found = detections(2).moved((64, 64), (128, 320))
    np.testing.assert_allclose(found.boxes, detections(2).boxes * [5, 2, 5, 2], rtol=1e-6)
    (_, record) = found.records()
    assert record["mask"]["size"] == [128, 320]
    whole = detections(2).masks[1].repeat(2, axis=0).repeat(5, axis=1)
    np.testing.assert_array_equal(mask_utils.decode(record["mask"]), whole)


@pytest.mark.parametrize("place", ["bboxes", "scores"])
def test_numbers_that_are_not_finite_are_an_error(place):
    instances = InstanceData(
        bboxes=torch.ones(2, 4), scores=torch.full((2,), 0.9), labels=torch.zeros(2).long()
    )
    instances[place][1] = float("nan")
    with pytest.raises(UserError, match="finite"):
        select(instances, ("star",), 0.3, 100)
