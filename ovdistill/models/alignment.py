"""The alignment loss as mmdet's box heads call it."""

from __future__ import annotations

import torch
from mmdet.models.losses import accuracy
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.methods.vild.loss import vild_text_loss


@MODELS.register_module()
class RegionWordLoss(nn.Module):
    """Softmax cross-entropy between regions and words (ViLD-text).

    At test time the head hands over log-scores, so that heads can be combined without leaving
    logarithms; the activation that turns them into scores is ``exp``.

    Args:
        loss_weight: 0 switches the term off (ViLD-image), keeping the graph.
    """

    custom_cls_channels = True
    custom_activation = True
    custom_accuracy = True

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def get_cls_channels(self, num_classes: int) -> int:
        """W words -> W + 1 columns."""
        return num_classes + 1

    def get_activation(self, log_scores: Tensor) -> Tensor:
        """(R, W + 1) log-scores -> scores in [0, 1]."""
        return log_scores.exp()

    def get_accuracy(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Top-1 accuracy over base words and background, in percent."""
        return dict(acc=accuracy(logits, labels))

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weights: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Mean over the sampled RoIs; ``avg_factor`` is that same count and is not needed."""
        if self.loss_weight == 0:
            return torch.where(logits.isfinite(), logits, 0).sum() * 0
        return self.loss_weight * vild_text_loss(logits, labels, weights)
