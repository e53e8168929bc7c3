"""The RPN within a two-stage detector proposes boxes, with the detector's weights."""

import torch
from mmdet.structures import DetDataSample
from torchvision.ops import box_iou

from ovdistill.core.assets import shipped_proposals
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config


def test_the_first_stage_of_the_shipped_network():
    config = load_config("rpn_r18_shapes")
    network = build_detector(config, shipped_proposals("proposals_shape"), device="cpu")
    image = torch.full((3, 128, 128), 30, dtype=torch.uint8)
    image[:, 40:80, 50:90] = torch.tensor([220, 40, 40], dtype=torch.uint8)[:, None, None]
    metas = dict(img_shape=(128, 128), ori_shape=(64, 64), scale_factor=(2.0, 2.0))
    batch = {"inputs": [image], "data_samples": [DetDataSample(metainfo=metas)]}
    found = network.test_step(batch)[0].pred_instances
    best = found.bboxes[found.scores.argmax()][None]
    # in pixels of the original image, which is half as large
    assert box_iou(best, torch.tensor([[25.0, 20, 45, 40]])).item() > 0.6
    assert 1 < len(found) <= 100 and not hasattr(found, "masks")
