"""Boxes that masks correct, and masks of detections, in the detector."""

import pytest
import torch
from mmengine.structures import InstanceData

from ..batches import batch, build, make_vocabulary


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_detector_mixes_mask_and_box(share, monkeypatch):
    head = build("vild_r18_shapes", make_vocabulary(3)).roi_head
    head.test_cfg["mask_boxes"] = dict(expand=2.0, threshold=0.0, share=share)
    asked = []

    def forward(x, rois):
        asked.append(rois)
        return dict(mask_preds=torch.full((len(rois), 1, 4, 4), 3.0))

    monkeypatch.setattr(head, "_mask_forward", forward)
    boxes = [torch.tensor([[10.0, 10, 20, 30]]), torch.zeros(0, 4)]
    found = head.correct((), [dict(img_shape=(32, 32))] * 2, boxes)
    assert asked[0].tolist() == [[0.0, 5.0, 0.0, 25.0, 40.0]]
    # the mask fills the grown box; the image ends at 32
    expected = [10 - 5 * share, 10 - 10 * share, 20 + 5 * share, min(30 + 10 * share, 32)]
    assert found[0].tolist()[0] == pytest.approx(expected)
    assert len(found[1]) == 0


def test_nothing_found_costs_nothing(monkeypatch):
    head = build("vild_r18_shapes", make_vocabulary(3)).roi_head
    monkeypatch.setattr(head, "_mask_forward", None)
    (found,) = head.correct((), [dict(img_shape=(32, 32))], [torch.zeros(0, 4)])
    assert len(found) == 0


def test_boxes_without_masks_are_those_with_masks():
    model = build("vild_r18_shapes", make_vocabulary(3)).eval()
    found = {}
    for without in (False, True):
        model.roi_head.test_cfg.update(without_masks=without, score_thr=0.0)
        torch.manual_seed(0)  # the same batch
        with torch.no_grad():
            found[without] = [sample.pred_instances for sample in model.test_step(batch())]
    for masked, bare in zip(found[False], found[True], strict=True):
        assert "masks" in masked and "masks" not in bare and len(bare) > 0
        assert torch.allclose(masked.bboxes, bare.bboxes)  # pixels of the original, scale 2
        assert bare.bboxes.max() <= 32


def test_a_box_of_several_classes_has_one_mask(monkeypatch):
    head = build("vild_r18_shapes", make_vocabulary(3)).roi_head
    head.test_cfg["mask_boxes"] = None
    asked = []

    def forward(x, rois):
        asked.append(rois)
        return dict(mask_preds=torch.full((len(rois), 1, 4, 4), 3.0))

    monkeypatch.setattr(head, "_mask_forward", forward)
    boxes = torch.tensor([[8.0, 8, 16, 16], [0, 0, 4, 4], [8, 8, 16, 16]])
    found = [
        InstanceData(bboxes=boxes.clone(), labels=torch.tensor([0, 1, 2])),
        InstanceData(bboxes=boxes[:0], labels=torch.zeros(0, dtype=torch.long)),
    ]
    meta = dict(img_shape=(32, 32), ori_shape=(16, 16), scale_factor=(2.0, 2.0))
    first, second = head.predict_mask((), [meta, meta], found, rescale=True)
    assert asked[0].tolist() == [[0, 0, 0, 4, 4], [0, 8, 8, 16, 16]]
    assert torch.equal(first.bboxes, boxes / 2)
    assert first.masks.sum(dim=(1, 2)).tolist() == [16, 4, 16]  # the mask fills the box
    assert second.masks.shape == (0, 16, 16)


def test_images_without_detections_have_no_masks():
    model = build("vild_r18_shapes", make_vocabulary(3)).eval()
    model.roi_head.test_cfg.update(score_thr=2.0)
    with torch.no_grad():
        found = [sample.pred_instances for sample in model.test_step(batch())]
    assert [tuple(instances.masks.shape) for instances in found] == [(0, 32, 32)] * 2
