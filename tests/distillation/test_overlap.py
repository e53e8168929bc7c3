"""IoU of boxes of several images at once."""

import pytest
import torch

from ovdistill.distillation.overlap import image_iou


def test_iou_is_zero_across_images():
    box = torch.tensor([[0.0, 0, 10, 10]])
    others = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [5, 0, 15, 10], [3, 3, 3, 3]])
    iou = image_iou(box, torch.tensor([1]), others, torch.tensor([0, 1, 1, 1]))
    assert iou.tolist()[0] == pytest.approx([0, 1, 1 / 3, 0])


def test_boxes_without_area_and_no_boxes_are_finite():
    empty, index = torch.tensor([[3.0, 3, 3, 3]]), torch.tensor([0])
    assert image_iou(empty, index, empty, index).tolist() == [[0]]
    assert image_iou(empty[:0], index[:0], empty, index).shape == (0, 1)
