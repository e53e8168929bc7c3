"""Names of refined boxes: a golden number, and what the detector makes of it."""

import pytest
import torch
from mmdet.registry import MODELS

from ovdistill.core.errors import UserError
from ovdistill.models.refined_names import rename

from ..batches import build, load_config, make_vocabulary


def test_golden_scores():
    first = torch.tensor([[0.32, 0.08, 0.6]]).log()  # object 0.4: names 0.8, 0.2
    second = torch.tensor([[0.05, 0.45, 0.5]]).log()  # names 0.1, 0.9
    assert torch.allclose(rename(first, second, 0.0), first, atol=1e-6)
    assert rename(first, second, 1.0).exp()[0].tolist() == pytest.approx([0.04, 0.36, 0.6])
    # 0.4 sqrt(0.8 0.1), 0.4 sqrt(0.2 0.9)
    assert rename(first, second, 0.5).exp()[0].tolist() == pytest.approx(
        [0.113137, 0.169706, 0.6], 1e-5
    )


@pytest.mark.parametrize("recipe", ["vild_r18_shapes", "vild_ensemble_r18_shapes"])
def test_the_second_look_is_at_the_regressed_boxes(recipe):
    model = build(recipe, make_vocabulary(5)).eval()
    head = model.roi_head
    with torch.no_grad():
        head.bbox_head.fc_reg.weight.normal_(std=0.1)
        x = model.extract_feat(torch.randn(1, 3, 64, 64))
        rois = torch.tensor([[0.0, 4, 4, 30, 30], [0, 10, 20, 50, 60]])
        first = head._bbox_forward(x, rois)
        boxes = head.bbox_head.bbox_coder.decode(rois[:, 1:], first["bbox_pred"])
        boxes = torch.cat([rois[:, :1], boxes.clamp(0, 64)], dim=1)
        second = head._bbox_forward(x, boxes)
        head.test_cfg.refined_names = 0.5
        both = head._bbox_forward(x, rois)
    assert not torch.allclose(first["cls_score"], second["cls_score"], atol=1e-4)
    expected = rename(first["cls_score"], second["cls_score"], 0.5)
    assert torch.allclose(both["cls_score"], expected, atol=1e-5)
    assert torch.equal(both["bbox_pred"], first["bbox_pred"])


def test_sigmoids_have_no_second_look():
    config = load_config("vild_r18_shapes")
    head = config.model.roi_head.bbox_head.cls_predictor_cfg
    head.score, head.background = "sigmoid", False
    config.model.test_cfg.rcnn.refined_names = 0.5
    with pytest.raises(UserError, match="sigmoids"):
        MODELS.build({**config.model, "vocabulary": make_vocabulary(5)})
