"""Boxes around masks, by hand, and in the detector."""

import pytest
import torch
from mmengine.structures import InstanceData

from ovdistill.models.mask_boxes import tight_boxes

from ..batches import batch, build, make_vocabulary


def test_edges_lie_where_the_logits_cross():
    # box of 40 x 80 px, cells of 10 x 20; columns 1-2 and row 2 are the object
    logits = torch.full((1, 4, 4), -1.0)
    logits[0, 2, 1:3] = 1.0
    box = torch.tensor([[100.0, 200.0, 140.0, 280.0]])
    # between +1 and -1 zero is crossed half a cell off the centre
    assert tight_boxes(box, logits, 0.0).tolist() == [[110.0, 240.0, 130.0, 260.0]]
    # at -0.5 it is crossed three quarters of a cell off
    assert tight_boxes(box, logits, -0.5).tolist()[0] == pytest.approx([107.5, 235.0, 132.5, 265.0])


def test_a_mask_that_fills_its_box_keeps_it_and_so_does_an_empty_one():
    box = torch.tensor([[1.0, 2.0, 9.0, 18.0]]).repeat(2, 1)
    logits = torch.stack([torch.full((4, 4), 2.0), torch.full((4, 4), -2.0)])
    assert torch.equal(tight_boxes(box, logits, 0.0), box)
    assert tight_boxes(box[:0], logits[:0], 0.0).shape == (0, 4)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_detector_mixes_mask_and_box(share, monkeypatch):
    head = build("vild_r18_shapes", make_vocabulary(3)).roi_head
    head.test_cfg["mask_boxes"] = dict(expand=2.0, threshold=0.0, share=share)
    asked = []

    def forward(x, rois):
        asked.append(rois)
        return dict(mask_preds=torch.full((len(rois), 1, 4, 4), 3.0))

    monkeypatch.setattr(head, "_mask_forward", forward)
    found = [
        InstanceData(bboxes=torch.tensor([[10.0, 10, 20, 30]])),
        InstanceData(bboxes=torch.zeros(0, 4)),
    ]
    head._correct((), [dict(img_shape=(32, 32))] * 2, found, **head.test_cfg.mask_boxes)
    assert asked[0].tolist() == [[0.0, 5.0, 0.0, 25.0, 40.0]]
    # the mask fills the grown box; the image ends at 32
    expected = [10 - 5 * share, 10 - 10 * share, 20 + 5 * share, min(30 + 10 * share, 32)]
    assert found[0].bboxes.tolist()[0] == pytest.approx(expected)
    assert len(found[1].bboxes) == 0


def test_nothing_found_costs_nothing(monkeypatch):
    head = build("vild_r18_shapes", make_vocabulary(3)).roi_head
    monkeypatch.setattr(head, "_mask_forward", None)
    found = [InstanceData(bboxes=torch.zeros(0, 4))]
    head._correct((), [dict(img_shape=(32, 32))], found)
    assert len(found[0].bboxes) == 0


def test_boxes_without_masks_are_those_with_masks():
    model = build("vild_r18_shapes", make_vocabulary(3)).eval()
    found = {}
    for without in (False, True):
        model.roi_head.test_cfg["without_masks"] = without
        torch.manual_seed(0)  # the same batch
        with torch.no_grad():
            found[without] = [sample.pred_instances for sample in model.test_step(batch())]
    for masked, bare in zip(found[False], found[True], strict=True):
        assert "masks" in masked and "masks" not in bare and len(bare) > 0
        assert torch.allclose(masked.bboxes, bare.bboxes)  # pixels of the original, scale 2
        assert bare.bboxes.max() <= 32
