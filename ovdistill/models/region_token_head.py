"""Region-word alignment token by token: the score of a class name is the mean over its tokens.

Shapes: R RoIs, D embedding width, W class names, T tokens of all class names.
"""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from ovdistill.core.errors import UserError
from ovdistill.core.vocabulary_header import BUILD
from ovdistill.distillation.region_word.loss import focal_loss, merge_tokens
from ovdistill.models.region_word_head import RegionWordHead
from ovdistill.models.region_word_loss import RegionWordLoss
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class RegionTokenHead(RegionWordHead):
    """A ``RegionWordHead`` with one sigmoid for each token (GLIP).

    All class names are scored at once, however many, so that non-maximum suppression sees all of
    them. Distillation terms see the embeddings of whole class names, as with ``RegionWordHead``.

    Args:
        in_features: as for ``RegionWordHead``.
        out_features: as for ``RegionWordHead``.
        embed_dim: D.
        prior_bias: initial value of a learned bias on all logits; -4.6 is a probability of 0.01.
        **kwargs: as for ``RegionWordHead``.
    """

    bias: nn.Parameter
    token_embeddings: Tensor
    positive_map: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        embed_dim: int = 512,
        *,
        prior_bias: float = -4.6,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            in_features,
            out_features,
            embed_dim,
            background=False,
            score="sigmoid",
            prior_bias=prior_bias,
            **kwargs,
        )
        self.register_buffer("token_embeddings", torch.zeros(1, embed_dim), persistent=False)
        self.register_buffer(
            "positive_map", torch.zeros(out_features - 1, 1, dtype=torch.bool), persistent=False
        )

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names and their tokens.

        Raises:
            UserError: the vocabulary has no embeddings of tokens.
        """
        super().set_vocabulary(vocabulary)
        if vocabulary.token_embeddings is None:
            raise UserError(
                "RegionTokenHead needs the embeddings of tokens, which this vocabulary has not. "
                "Encode it with them: prepare.vocabulary.tokens=True and a new path, or\n  "
                f"{BUILD} --tokens"
            )
        self.token_embeddings = vocabulary.token_embeddings.to(self.text_embeddings.device)
        self.positive_map = vocabulary.positive_map.to(self.text_embeddings.device)

    def align(self, embeddings: Tensor) -> Tensor:
        """Compare (R, D) unit embeddings with the tokens.

        Returns:
            (R, T) float32 logits. In training the columns of tokens of novel classes only are -inf.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            scale = self.current_scale
            logits = embeddings.float() @ self.token_embeddings.T * scale + self.bias
        if self.training and not self.train_novel:
            seen = (self.positive_map & self.is_base[:, None]).any(dim=0)
            logits = logits.masked_fill(~seen, -torch.inf)
        return logits

    def log_scores(self, embeddings: Tensor) -> Tensor:
        """Score (R, D) unit embeddings.

        Returns:
            (R, W + 1) log-scores; the last column, the background, is -inf.
        """
        scores = merge_tokens(logsigmoid(self.align(embeddings)).exp(), self.positive_map)
        background = scores.new_full((scores.shape[0], 1), -torch.inf)
        return torch.cat([scores.clamp(min=torch.finfo(scores.dtype).tiny).log(), background], 1)


@MODELS.register_module()
class RegionTokenLoss(RegionWordLoss):
    """Sigmoid focal loss over the tokens of base classes (GLIP).

    Args:
        loss_weight: 0 switches the loss off, but keeps the graph.
        alpha: weight of a positive; a negative has weight 1 - alpha.
        gamma: exponent of the modulating factor.
    """

    score = "sigmoid"
    targets: Tensor

    def __init__(self, loss_weight: float = 1.0, alpha: float = 0.25, gamma: float = 2.0) -> None:
        super().__init__(loss_weight)
        self.alpha = alpha
        self.gamma = gamma
        self.register_buffer("targets", torch.zeros(1, 1, dtype=torch.bool), persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Store the (W + 1, T) tokens of each class; the background, in the last row, has none."""
        classes = vocabulary.positive_map
        targets = torch.cat([classes, classes.new_zeros(1, classes.shape[1])])
        self.targets = targets.to(self.targets.device)

    def get_accuracy(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return the share of labelled RoIs' tokens with a probability above 1/2, in percent."""
        targets = self.targets[labels] & logits.isfinite()
        found = (logits > 0) & targets
        return dict(acc=100 * found.sum() / targets.sum().clamp(min=1))

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weights: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Return the sum over tokens and RoIs, divided by the number of labelled RoIs."""
        finite = torch.where(logits.isfinite(), logits, 0)
        if self.loss_weight == 0:
            return finite.sum() * 0
        considered = logits.isfinite().all(dim=0)
        loss = focal_loss(finite, self.targets[labels], considered, self.alpha, self.gamma, weights)
        return self.loss_weight * loss
