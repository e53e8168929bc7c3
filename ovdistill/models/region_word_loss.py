"""The alignment losses, in the form in which mmdet's box heads call them.

Shapes: R sampled RoIs, W class names. ``forward`` has the arguments that mmdet gives every
classification loss; ``avg_factor`` and ``reduction_override`` are not used, because the losses are
means over the sampled RoIs of this rank.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from mmdet.models.losses import accuracy
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.distillation.region_word.loss import federated_classes, focal_loss, sigmoid_loss
from ovdistill.distillation.vild.loss import vild_text_loss
from ovdistill.models.region_word_head import RegionWordHead
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class RegionWordLoss(nn.Module):
    """Softmax cross-entropy over classes and background (ViLD-text).

    In testing the head returns log-scores, so that heads can be combined in logarithms; the
    activation that turns them into scores is ``exp``.

    Args:
        loss_weight: 0 switches the loss off (ViLD-image), but keeps the graph.
        background_weight: of RoIs that match no labelled object, among which are objects that
            nobody labelled. 1 in ViLD, 0.2 in RegionCLIP, 0.7 in BARON on COCO.
    """

    custom_cls_channels = True
    custom_activation = True
    custom_accuracy = True
    score: ClassVar[str] = "softmax"  # of the heads that it belongs to

    def __init__(self, loss_weight: float = 1.0, background_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.background_weight = background_weight

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Take what the loss needs of a vocabulary: here nothing."""

    def get_cls_channels(self, num_classes: int) -> int:
        """Return the number of columns, W + 1, for W classes."""
        return num_classes + 1

    def get_activation(self, log_scores: Tensor) -> Tensor:
        """Return the scores in [0, 1] of (R, W + 1) log-scores."""
        return log_scores.exp()

    def get_accuracy(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return the top-1 accuracy in percent.

        With a softmax it is over base classes and background. Sigmoids have no background to
        predict: only RoIs that are labelled count.
        """
        if self.score == "softmax":
            return dict(acc=accuracy(logits, labels))
        labelled = labels < logits.shape[1] - 1
        right = labelled & (logits.argmax(dim=1) == labels)
        return dict(acc=100 * right.sum() / labelled.sum().clamp(min=1))

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weights: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Return the mean over the sampled RoIs.

        Args:
            logits: (R, W + 1) similarities over temperature; columns of novel classes -inf.
            labels: (R,) int64 in [0, W]; W is the background.
            weights: (R,) weight of each RoI; all one by default.
            avg_factor: not used.
            reduction_override: not used.
        """
        if self.loss_weight == 0:
            return torch.where(logits.isfinite(), logits, 0).sum() * 0
        if self.background_weight != 1:
            ones = torch.ones_like(labels, dtype=torch.float32) if weights is None else weights
            background = labels == logits.shape[1] - 1
            weights = torch.where(background, self.background_weight * ones, ones)
        return self.loss_weight * vild_text_loss(logits, labels, weights)


@MODELS.register_module()
class SigmoidRegionWordLoss(RegionWordLoss):
    """Binary cross-entropy of each class, optionally federated (RKD, Detic).

    It belongs to a ``RegionWordHead(score="sigmoid", background=False)``.

    Args:
        loss_weight: 0 switches the loss off, but keeps the graph.
        federated: how many classes to consider in a batch: those labelled in it, and others drawn
            with the square root of their number of training images; 0 for all classes. 50 in RKD
            on LVIS.
    """

    score = "sigmoid"
    counts: Tensor

    def __init__(self, loss_weight: float = 1.0, federated: int = 0) -> None:
        super().__init__(loss_weight)
        self.federated = federated
        self.register_buffer("counts", torch.zeros(0), persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Store the numbers of training images of base classes; those of novel classes are 0."""
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
        """Return the sum over the classes considered, as a mean over the sampled RoIs.

        The arguments are those of ``RegionWordLoss``.

        Raises:
            UserError: a federated loss, and a vocabulary without counts of training images.
        """
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
            considered = considered & federated_classes(labels, self.counts, self.federated)
        return self.loss_weight * sigmoid_loss(finite, labels, considered, weights)


@MODELS.register_module()
class FocalRegionWordLoss(RegionWordLoss):
    """Sigmoid focal loss of each class name as a whole (DetCLIP).

    The text embedding of a class name pools its tokens; ``RegionTokenLoss`` has a sigmoid for each
    token (GLIP). It belongs to a ``RegionWordHead(score="sigmoid", background=False)``, whose
    ``prior_bias`` keeps the many negatives from deciding the first steps.

    Args:
        loss_weight: 0 switches the loss off, but keeps the graph.
        alpha: weight of a positive; a negative has weight 1 - alpha.
        gamma: exponent of the modulating factor.
    """

    score = "sigmoid"

    def __init__(self, loss_weight: float = 1.0, alpha: float = 0.25, gamma: float = 2.0) -> None:
        super().__init__(loss_weight)
        self.alpha = alpha
        self.gamma = gamma

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weights: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Return the sum over base classes and RoIs, divided by the number of labelled RoIs.

        The arguments are those of ``RegionWordLoss``.
        """
        finite = torch.where(logits.isfinite(), logits, 0)[:, :-1]
        if self.loss_weight == 0:
            return finite.sum() * 0
        considered = logits[:, :-1].isfinite().all(dim=0)
        targets = labels[:, None] == torch.arange(logits.shape[1] - 1, device=labels.device)
        loss = focal_loss(finite, targets, considered, self.alpha, self.gamma, weights)
        return self.loss_weight * loss


def check_pair(head: nn.Module, loss: nn.Module, kind: type[nn.Module]) -> None:
    """Raise UserError if a loss is not of its detector's head, or not of the scores that it gets.

    Args:
        head: of the alignment, which gives the logits; the scores of others than
            ``RegionWordHead`` are not looked at.
        loss: the alignment loss; with weight 0 its scores are not looked at.
        kind: what the loss must be: a class with ``score``.
    """
    if not isinstance(loss, kind):
        raise UserError(
            f"loss_cls is {type(loss).__name__}; expected {kind.__name__} or a class made from it "
            "in this kind of detector"
        )
    if not isinstance(head, RegionWordHead) or getattr(loss, "loss_weight", 1) == 0:
        return
    without = head.background is None
    if head.score != loss.score or (loss.score == "softmax" and without):
        raise UserError(
            f"loss_cls is {type(loss).__name__}, fc_cls is {type(head).__name__}(score="
            f"{head.score!r}, background={not without}); expected score={loss.score!r} and "
            f"background={loss.score == 'softmax'} with this loss"
        )
