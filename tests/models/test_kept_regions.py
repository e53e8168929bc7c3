"""Detections among kept regions are those of mmdet's ``multiclass_nms``."""

from __future__ import annotations

import pytest
import torch
from mmdet.models.layers import multiclass_nms
from mmengine.config import ConfigDict

from ovdistill.models.kept_regions import _suppressed


@pytest.mark.parametrize("kind", ["nms", "soft_nms"])
@pytest.mark.parametrize("lowest", [0.0, 0.1, 0.3, 2.0])
def test_suppression_equals_that_of_mmdet(kind: str, lowest: float) -> None:
    corners = torch.rand(60, 2) * 50
    boxes = torch.cat([corners, corners + 5 + torch.rand(60, 2) * 30], dim=1)
    scores = (3 * torch.randn(60, 8)).softmax(dim=1)
    config = ConfigDict(nms=dict(type=kind, iou_threshold=0.5), max_per_img=40)
    found, labels, flat = multiclass_nms(boxes, scores, lowest, config.nms, 40, return_inds=True)
    ours = _suppressed(boxes, scores, lowest, config)
    assert torch.equal(ours[0], found[:, 4])
    assert torch.equal(ours[1], labels) and torch.equal(ours[2], flat // 7)
    assert bool(len(found)) == (lowest < 1)
