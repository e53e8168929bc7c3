"""How well a box fits the object in it, learned without classes.

A class score says what is in a box, not how much of it: the head of an arrow looks like a triangle
and gets a high score. Where an object is cut its texture goes on outside the box, whatever it is,
so the overlap with the object can be learned from base classes (OLN, arXiv 2108.06753).

Shapes: R boxes, G objects of an image, C channels, S side of the pooled features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn


@MODELS.register_module()
class BoxQualityHead(BaseModule):
    """Predicts the IoU of boxes with their objects from pooled features.

    Args:
        in_channels: C.
        roi_feat_size: S.
        hidden: features between the two layers.
        jitters: how many boxes around each labelled object it learns from.
        loss_weight: of the binary cross-entropy with the IoU as target, a mean over the boxes of
            this rank.
    """

    def __init__(
        self,
        in_channels: int,
        roi_feat_size: int = 7,
        hidden: int = 64,
        jitters: int = 8,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(dict(type="Xavier", layer="Linear", distribution="uniform", bias=0))
        self.jitters = jitters
        self.loss_weight = loss_weight
        self.hidden = nn.Linear(in_channels * roi_feat_size**2, hidden)
        self.logit = nn.Linear(hidden, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return the (R,) logits of the IoU of boxes with (R, C, S, S) features."""
        return self.logit(F.relu(self.hidden(features.flatten(1))))[:, 0].float()

    def loss(self, features: Tensor, iou: Tensor) -> Tensor:
        """Return the loss of (R, C, S, S) features of boxes that have this (R,) IoU."""
        if not len(iou):
            return self(features).sum()
        return self.loss_weight * F.binary_cross_entropy_with_logits(self(features), iou)


def jitter(boxes: Tensor, times: int) -> Tensor:
    """Return boxes around objects, of which some are near and others cut or miss much.

    Each edge moves by up to a share of the side that is drawn for the box, at most 0.45.

    Args:
        boxes: (G, 4) xyxy.
        times: number of boxes for each object.

    Returns:
        (G * times, 4) xyxy.
    """
    repeated = boxes.repeat_interleave(times, dim=0)
    sides = (repeated[:, 2:] - repeated[:, :2]).repeat(1, 2)
    share = 0.45 * torch.rand_like(repeated[:, :1])
    return repeated + share * (2 * torch.rand_like(repeated) - 1) * sides
