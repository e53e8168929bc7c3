"""The predicted IoU of boxes."""

import math

import pytest
import torch
from torchvision.ops import box_iou

from ovdistill.models.box_quality import BoxQualityHead, jitter
from ovdistill.models.look_settings import SecondLook

from ..batches import batch, build, loss_dict, make_vocabulary


def test_golden_loss():
    head = BoxQualityHead(in_channels=1, roi_feat_size=1, hidden=1, loss_weight=2.0)
    for layer in (head.hidden, head.logit):
        torch.nn.init.ones_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    features = torch.tensor([0.0, math.log(3)]).view(2, 1, 1, 1)
    assert head(features).sigmoid().tolist() == pytest.approx([0.5, 0.75])
    # mean of ln 2 and -(0.5 ln 0.75 + 0.5 ln 0.25)
    expected = math.log(2) - 0.5 * math.log(0.75) - 0.5 * math.log(0.25)
    assert float(head.loss(features, torch.tensor([1.0, 0.5]))) == pytest.approx(expected)
    assert float(head.loss(features[:0], torch.zeros(0))) == 0


def test_jittered_boxes_fit_well_and_badly():
    boxes = torch.tensor([[10.0, 10, 50, 30], [0, 0, 20, 20]])
    moved = jitter(boxes, 500)
    iou = box_iou(moved, boxes)[torch.arange(1000), torch.arange(2).repeat_interleave(500)]
    assert (moved[:, 2:] > moved[:, :2]).all()
    assert (iou > 0.9).any() and (iou < 0.4).any() and iou.min() > 0.01
    assert jitter(boxes[:0], 8).shape == (0, 4)


def test_the_detector_learns_it_of_labelled_objects():
    model = build("vild_r18_shapes", make_vocabulary(3))
    loss = loss_dict(model, batch())["loss_quality"]
    loss.backward()
    assert model.roi_head.quality_head.hidden.weight.grad.abs().sum() > 0
    assert float(loss_dict(model, batch(boxes=(0, 0)))["loss_quality"]) == 0


def test_a_badly_fitting_box_loses_score():
    model = build("vild_r18_shapes", make_vocabulary(3)).eval()
    head = model.roi_head
    torch.nn.init.zeros_(head.quality_head.logit.weight)  # IoU 0.5 everywhere
    x = model.extract_feat(torch.randn(1, 3, 64, 64))
    boxes, metas = [torch.tensor([[4.0, 4, 30, 30]])], [dict(img_shape=(64, 64))]
    scores = torch.tensor([[0.3, 0.2, 0.1, 0.4]]).log()
    with torch.no_grad():
        looks = [SecondLook(iou=0.9, most=9, quality=quality) for quality in (0.0, 2.0)]
        look = [head._look_again(x, metas, boxes, scores, one)[1] for one in looks]
    assert torch.allclose(look[1].exp(), look[0].exp() / 4)
