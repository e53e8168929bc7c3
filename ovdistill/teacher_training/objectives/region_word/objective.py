"""Region-word matching as an objective."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from ovdistill.core.errors import UserError
from ovdistill.distillation.region_word.loss import focal_loss
from ovdistill.teacher_training.batch import LabelledBoxes, TrainingBatch
from ovdistill.teacher_training.objective import TowerObjective
from ovdistill.teacher_training.objectives.region_word.loss import (
    pair_sigmoid_loss,
    phrase_targets,
    region_word_logits,
)
from ovdistill.teacher_training.registry import register_objective
from ovdistill.teacher_training.towers import Towers

LOSSES = ("focal", "sigmoid")
SAMPLES = 7  # of a region along a side; their mean is its embedding


@register_objective
class RegionWord(TowerObjective):
    """Lets each labelled box find its phrase among those of the batch, by dense features.

    The alignment of GLIP (Li et al., arXiv 2112.03857), which FIBER (arXiv 2206.07643) and DetCLIP
    (arXiv 2209.09407) share. What differs: regions are the labelled boxes, pooled from the image
    tower's dense features, instead of the anchors of a detector, so there is no background and no
    loss of localisation; a phrase is one embedding, as in DetCLIP, instead of its tokens; negatives
    are the phrases of the other boxes of the batch on this rank. Features are pooled as they are;
    where the teacher is used with dense regions, each position has unit norm before that.

    Args:
        weight: see ``Objective``.
        loss: 'focal', divided by the number of boxes (GLIP, DetCLIP), or 'sigmoid', a plain binary
            cross-entropy (Detic, SigLIP).
        scale: factor on cosines at the start; learned.
        bias: of the logits at the start; learned. The default is a probability of 0.01 (focal
            loss, arXiv 1708.02002, section 4.1; GLIP's code).
        alpha: see ``focal_loss``; GLIP: 0.25, as is the default of gamma, 2.
        gamma: see ``focal_loss``.

    Raises:
        UserError: a value out of its range.
    """

    needs = ("images", "boxes")

    def __init__(
        self,
        weight: float = 1.0,
        loss: str = "focal",
        scale: float = 10.0,
        bias: float = -math.log(99),
        alpha: float = 0.25,
        gamma: float = 2.0,
    ) -> None:
        super().__init__(weight)
        if loss not in LOSSES or scale <= 0:
            raise UserError(
                f"RegionWord with loss {loss!r} and scale {scale}; expected a loss of "
                f"{', '.join(LOSSES)}, and a scale above 0"
            )
        self.loss = loss
        self.alpha, self.gamma = alpha, gamma
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        """Return ``loss_region_word``."""
        boxes = _no_boxes(batch) if batch.boxes is None else batch.boxes
        dense = towers.dense_images(batch.images)
        regions = pool_regions(dense, boxes.boxes, boxes.image_index, batch.images.shape[-1])
        phrases = towers.encode_texts(boxes.phrases)
        logits = region_word_logits(regions, phrases, self.log_scale.exp(), self.bias)
        targets = phrase_targets(boxes.phrases, boxes.phrase_index)
        return {"loss_region_word": self._compare(logits, targets)}

    def _compare(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of (B, M) logits."""
        if self.loss == "sigmoid":
            return pair_sigmoid_loss(logits, targets)
        considered = torch.ones(logits.shape[1], dtype=torch.bool, device=logits.device)
        return focal_loss(logits, targets, considered, self.alpha, self.gamma)


def _no_boxes(batch: TrainingBatch) -> LabelledBoxes:
    """Return what a batch has whose source found no box in its images."""
    none = batch.labels[:0]
    return LabelledBoxes(batch.images.new_zeros(0, 4), none, batch.tokens[:0], none)


def pool_regions(dense: Tensor, boxes: Tensor, image_index: Tensor, size: int) -> Tensor:
    """Return the mean dense feature of each box, by RoIAlign.

    Args:
        dense: (N, D, h, w).
        boxes: (B, 4) xyxy, absolute pixels of the tower's input.
        image_index: (B,) int64.
        size: side of the tower's input, pixels.

    Returns:
        (B, D) float32.
    """
    rois = torch.cat([image_index[:, None].to(boxes), boxes], dim=1)
    pooled = roi_align(
        dense.float(),
        rois.float(),
        output_size=1,
        spatial_scale=dense.shape[-1] / size,
        sampling_ratio=SAMPLES,
        aligned=True,
    )
    return pooled.flatten(1)
