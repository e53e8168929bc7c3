"""Masks pasted into images: by hand, and as mmdet's mask head pastes them."""

import pytest
import torch
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from ovdistill.models import paste_masks as module
from ovdistill.models.paste_masks import paste_masks

SIZE = (40, 60)


def by_mmdet(logits, boxes, size):
    """Return the masks that mmdet's head pastes for the same logits."""
    head = FCNMaskHead(num_classes=1, class_agnostic=True, num_convs=0, in_channels=1)
    found = InstanceData(bboxes=boxes.clone(), labels=torch.zeros(len(boxes), dtype=torch.long))
    meta = dict(ori_shape=size, scale_factor=(1.0, 1.0))
    settings = ConfigDict(mask_thr_binary=0.5)
    head.predict_by_feat((logits[:, None],), [found], [meta], settings, rescale=True)
    return found.masks


def random_case(n=50):
    generator = torch.Generator().manual_seed(0)
    height, width = SIZE
    centres = torch.rand(n, 2, generator=generator) * torch.tensor([width, height])
    sides = torch.rand(n, 2, generator=generator) * 30 + 0.5
    boxes = torch.cat([centres - sides / 2, centres + sides / 2], dim=1)
    return torch.randn(n, 14, 14, generator=generator), boxes  # some boxes leave the image


def test_a_mask_by_hand():
    # the box has 4 x 4 px and 2 x 2 cells: the left ones are of the object, the right ones not
    logits = torch.tensor([[[30.0, -30.0], [30.0, -30.0]]])
    box = torch.tensor([[1.0, 2.0, 5.0, 6.0]])
    (mask,) = paste_masks(logits, box, (8, 8))
    # px centres at 1.5, 2.5, 3.5: the probability is 0.75 (it fades outwards), 0.75, 0.25
    rows, columns = mask.nonzero().T
    assert sorted(set(columns.tolist())) == [1, 2]
    # at the upper edge 0.75 * 0.75 is more than a half still
    assert sorted(set(rows.tolist())) == [2, 3, 4, 5]
    assert paste_masks(logits, box, (8, 8), threshold=0.6).sum() == 2 * 2  # the rows in the middle


@pytest.mark.parametrize("together", [1, 3, 1000])
def test_masks_are_those_of_mmdet(together, monkeypatch):
    monkeypatch.setattr(module, "CPU_PIXELS", together * SIZE[0] * SIZE[1])
    logits, boxes = random_case()
    ours, theirs = paste_masks(logits, boxes, SIZE), by_mmdet(logits, boxes, SIZE)
    assert theirs.sum() > 2000
    assert (ours != theirs).sum() <= 2  # a pixel at the threshold itself may be rounded otherwise


def test_boxes_beyond_the_image_and_without_a_side_have_no_pixels():
    logits, boxes = random_case(4)
    logits[:3] = 5.0
    boxes[:3] = torch.tensor([[-30.0, -30, -10, -10], [70, 50, 90, 60], [10.5, 5, 10.5, 25]])
    masks = paste_masks(logits, boxes, SIZE)
    assert not masks[:3].any()
    assert torch.equal(masks[3:], paste_masks(logits[3:], boxes[3:], SIZE))


def test_no_masks_and_half_precision():
    logits, boxes = random_case()
    assert paste_masks(logits[:0], boxes[:0], SIZE).shape == (0, *SIZE)
    exact = paste_masks(logits, boxes, SIZE)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(paste_masks(logits, boxes, SIZE), exact)
