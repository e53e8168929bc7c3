"""A neck has the channels of its backbone, whatever that is."""

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

import ovdistill.models.register_models  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.models.config import load_config
from ovdistill.models.neck_channels import fit_neck

TIMM = dict(type="TimmBackbone", model_name="resnet10t", strides=(8, 16, 32))
RESNET = dict(
    type="ResNet",
    depth=18,
    base_channels=8,
    num_stages=3,
    strides=(1, 2, 2),
    dilations=(1, 1, 1),
    out_indices=(0, 1, 2),
)


@MODELS.register_module()
class TwoMaps(nn.Module):
    def forward(self, images):
        small = nn.functional.avg_pool2d(images, 8)
        return small, nn.functional.avg_pool2d(small, 2).repeat(1, 4, 1, 1)


def model(backbone, channels="auto", strides=(8, 16, 32, 64), **neck):
    return dict(
        backbone=backbone,
        neck=dict(type="FPN", in_channels=channels, **neck),
        rpn_head=dict(anchor_generator=dict(strides=list(strides))),
    )


@pytest.mark.parametrize(
    ("backbone", "strides", "channels"),
    [(TIMM, (8, 16, 32), [128, 256, 512]), (RESNET, (4, 8, 16), [8, 16, 32]),
     (dict(type="TwoMaps"), (8, 16), [3, 12])],
)  # fmt: skip
def test_auto_stands_for_the_channels_of_any_backbone(backbone, strides, channels):
    given = model(backbone, strides=strides)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    fit_neck(given)
    assert given["neck"]["in_channels"] == channels
    assert torch.rand(1) == expected  # no random number was taken


def test_wrong_numbers_and_strides_are_errors_with_the_right_ones():
    with pytest.raises(UserError, match=r"\[1, 2, 3\].*\[128, 256, 512\]"):
        fit_neck(model(TIMM, [1, 2, 3]))
    with pytest.raises(UserError, match=r"rpn_head.*\[4, 8, 16\].*\[8, 16, 32\]"):
        fit_neck(model(TIMM, strides=(4, 8, 16)))
    fit_neck(model(TIMM, [128, 256, 512], strides=(16, 32, 64), start_level=1))
    heads = dict(roi_head=dict(mask_roi_extractor=dict(featmap_strides=[4, 8])))
    with pytest.raises(UserError, match="mask_roi_extractor"):
        fit_neck(model(TIMM) | heads)


@pytest.mark.parametrize("given", [None, {}, dict(backbone=RESNET), dict(neck={}, backbone={})])
def test_models_without_both_are_left_alone(given):
    before = repr(given)
    fit_neck(given)
    assert repr(given) == before


def test_an_option_names_another_backbone_and_nothing_else(tmp_path):
    options = {"model.backbone.model_name": "convnext_atto", "model.backbone.init_cfg": None}
    config = load_config("vild_mobilenetv4_coco", options)
    assert config.model.neck.in_channels == [80, 160, 320]
