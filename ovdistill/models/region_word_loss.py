"""The alignment loss as mmdet's box heads call it."""

from __future__ import annotations

import torch
from mmdet.models.losses import accuracy
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.distillation.region_word.loss import federated_words, sigmoid_loss
from ovdistill.distillation.vild.loss import vild_text_loss
from ovdistill.vocabulary import Vocabulary


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

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Called with every vocabulary that the detector gets."""

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


@MODELS.register_module()
class SigmoidRegionWordLoss(RegionWordLoss):
    """Binary cross-entropy for each word, optionally federated (RKD, Detic).

    Args:
        loss_weight: 0 switches the term off, keeping the graph.
        federated: consider so many words a batch, those labelled in it and a draw of others with
            the square root of their training images; 0 for all words. 50 in RKD on LVIS.
    """

    def __init__(self, loss_weight: float = 1.0, federated: int = 0) -> None:
        super().__init__(loss_weight)
        self.federated = federated
        self.register_buffer("counts", torch.zeros(0), persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Takes the counts of base words; novel ones count as never shown."""
        counts = torch.tensor(vocabulary.counts or (), dtype=torch.float32)
        shown = vocabulary.is_base if len(counts) else vocabulary.is_base[:0]
        self.counts = (counts * shown).to(self.counts.device)

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weights: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Sum over the words considered, mean over the sampled RoIs."""
        finite = torch.where(logits.isfinite(), logits, 0)[:, :-1]
        if self.loss_weight == 0:
            return finite.sum() * 0
        considered = logits[:, :-1].isfinite().all(dim=0)
        if self.federated:
            if len(self.counts) != len(considered):
                raise UserError(
                    "a federated loss needs the counts of training images, which this vocabulary "
                    "has not; build it from an LVIS annotation file, whose categories have "
                    "image_count:\n  ovdistill vocab build --names lvis_v1_train.json --teacher "
                    "MODEL:PRETRAINED -o FILE"
                )
            considered = considered & federated_words(labels, self.counts, self.federated)
        return self.loss_weight * sigmoid_loss(finite, labels, considered, weights)
