"""Boxes that are corrected and scored again."""

import pytest
import torch
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData

from ovdistill.models.look_settings import SecondLook
from ovdistill.models.second_look import certainty, foremost

from ..batches import batch, build, make_vocabulary


def test_the_foremost_boxes_are_certain_and_apart():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [40, 40, 50, 50]])
    foreground = torch.tensor([0.4, 0.8, 0.2, 0.9])
    log_scores = torch.stack([foreground / 4, 3 * foreground / 4, 1 - foreground], dim=1).log()
    for iou, most, expected in ((0.95, 9, [3, 1, 0, 2]), (0.85, 9, [3, 1, 2]), (0.85, 2, [3, 1])):
        assert foremost(boxes, log_scores, SecondLook(iou=iou, most=most)).tolist() == expected


def test_without_a_background_the_best_class_says_how_certain_a_box_is():
    """Those of a softmax always add up to 1, up to rounding."""
    logits = torch.tensor([[1.0, 1, 1, 1], [9, 0, 0, 0], [4, 4, 0, 0]])
    none = torch.full((3, 1), -torch.inf)
    softmax = torch.cat([logits.log_softmax(dim=1), none], dim=1)
    assert certainty(softmax).argsort().tolist() == [0, 2, 1]
    assert torch.equal(certainty(softmax), softmax[:, :-1].amax(dim=1))


def test_names_are_the_geometric_mean_at_both_boxes(monkeypatch):
    head = build("vild_r18_shapes", make_vocabulary(3)).roi_head.eval()
    head.test_cfg["second_look"], head.quality_head = dict(iou=0.9, most=1), None
    moved = torch.tensor([[4.0, 4, 20, 20]])
    monkeypatch.setattr(head, "correct", lambda x, metas, boxes: [moved])
    asked = []

    def forward(x, rois):
        asked.append(rois[:, 1:])
        # the second RoI is the more certain one; what is seen at the end is another class
        scores = [[0.3, 0.1, 0.1, 0.5], [0.6, 0.2, 0.1, 0.1]]
        if len(asked) == 2:
            scores = [[0.15, 0.8, 0.025, 0.025]]
        return dict(cls_score=torch.tensor(scores).log(), bbox_pred=torch.zeros(len(rois), 4))

    monkeypatch.setattr(head, "_bbox_forward", forward)
    proposals = [InstanceData(bboxes=torch.tensor([[30.0, 30, 50, 50], [4, 4, 18, 18]]))]
    meta = dict(img_shape=(64, 64), scale_factor=(1.0, 1.0))
    (found,) = head.predict_bbox((), [meta], proposals, head.test_cfg)
    assert torch.equal(asked[1], moved)
    assert torch.equal(found.bboxes, moved.repeat(3, 1))
    assert found.labels.tolist() == [1, 0, 2]
    # an object as sure as at first, 0.9; names sqrt(0.2 0.8 / 0.975) / 0.9 ...
    expected = [(0.9 * share) ** 0.5 for share in (0.2 * 0.8, 0.6 * 0.15, 0.1 * 0.025)]
    assert torch.allclose(found.scores, torch.tensor(expected) / 0.975**0.5)


@pytest.mark.parametrize("shared", [False, True])
def test_boxes_fit_by_the_same_features_in_training_and_test(shared, monkeypatch):
    model = build("vild_r18_shapes", make_vocabulary(3)).eval()
    head = model.roi_head
    if shared:
        head.shared_head = torch.nn.Tanh()
    asked = []
    monkeypatch.setattr(head.quality_head, "loss", lambda features, iou: asked.append(features))
    monkeypatch.setattr("ovdistill.models.second_look.jitter", lambda boxes, times: boxes)
    boxes = torch.tensor([[4.0, 4, 20, 20]])
    with torch.no_grad():
        x = model.extract_feat(torch.randn(1, 3, 64, 64))
        head.quality_loss(x, [InstanceData(bboxes=boxes)])
        expected = head._bbox_forward(x, bbox2roi([boxes]))["bbox_feats"]
    assert torch.equal(asked[0], expected)


def test_the_detector_runs_with_and_without_it():
    model = build("vild_r18_shapes", make_vocabulary(3)).eval()
    for look in (dict(iou=0.9, most=60), dict(iou=0.9, most=60, quality=0.0), None):
        model.roi_head.test_cfg.update(second_look=look, score_thr=0.0)
        with torch.no_grad():
            for sample in model.test_step(batch()):
                assert len(sample.pred_instances.masks) == len(sample.pred_instances.bboxes) > 0
