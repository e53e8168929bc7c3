"""The labelled objects of an image as detections."""

from __future__ import annotations

import numpy as np

from ovdistill.inference.truth import read_truth

SQUARE = [2, 2, 6, 2, 6, 6, 2, 6]


def instance(label: int, mask: object = (), *, crowd: bool = False) -> dict:
    return dict(bbox=[2, 2, 6, 6], bbox_label=label, ignore_flag=int(crowd), mask=mask)


def test_objects_have_names_boxes_and_masks():
    crowd = dict(size=[8, 10], counts=[0, 80])
    instances = [instance(1, [SQUARE]), instance(0, crowd, crowd=True), instance(0)]
    truth = read_truth(dict(height=8, width=10, instances=instances), ("cat", "dog"))
    assert truth.names == ("dog", "cat (crowd)", "cat")
    assert truth.labels.tolist() == [1, 0, 0]
    np.testing.assert_array_equal(truth.boxes, [[2, 2, 6, 6]] * 3)
    assert truth.masks.shape == (3, 8, 10)
    assert truth.masks.sum(axis=(1, 2)).tolist() == [16, 80, 0]


def test_objects_without_masks_and_images_without_objects():
    assert read_truth(dict(height=8, width=10, instances=[instance(0)]), ("cat",)).masks is None
    empty = read_truth(dict(height=8, width=10, instances=[]), ("cat",))
    assert len(empty) == 0 and empty.boxes.shape == (0, 4) and empty.masks is None
