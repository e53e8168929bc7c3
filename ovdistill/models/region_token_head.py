"""Region-word alignment token by token: a word is found where its tokens are.

Shapes: R regions, D embedding width, W words, T tokens of all words.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor
from torch.nn.functional import logsigmoid

from ovdistill.core.errors import UserError
from ovdistill.core.vocabulary_header import BUILD
from ovdistill.distillation.region_word.loss import focal_loss, merge_tokens
from ovdistill.models.region_word_head import RegionWordHead
from ovdistill.models.region_word_loss import RegionWordLoss
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class RegionTokenHead(RegionWordHead):
    """A sigmoid for each token; the score of a word is the mean over its tokens (GLIP).

    All words are scored at once, however many, so that non-maximum suppression sees all of them.

    Args:
        prior_bias: added to every logit and learned, -4.6 = a probability of 0.01.
        **kwargs: as ``RegionWordHead``, whose words distillation terms still see.
    """

    def __init__(self, *args, prior_bias: float = -4.6, **kwargs) -> None:
        super().__init__(*args, background=False, score="sigmoid", prior_bias=prior_bias, **kwargs)
        self.register_buffer("tokens", torch.zeros(1, self.words.shape[1]), persistent=False)
        self.register_buffer("positive_map", torch.zeros(len(self.words), 1) > 0, persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replaces the words and tokens.

        Raises:
            UserError: the vocabulary's tokens are not embedded.
        """
        super().set_vocabulary(vocabulary)
        if vocabulary.token_embeddings is None:
            raise UserError(
                "RegionTokenHead needs the embeddings of tokens, which this vocabulary has not. "
                "Encode it with them: prepare.vocabulary.tokens=True and a new path, or\n  "
                f"{BUILD} --tokens"
            )
        self.tokens = vocabulary.token_embeddings.to(self.words.device)
        self.positive_map = vocabulary.positive_map.to(self.words.device)

    def align(self, embeddings: Tensor) -> Tensor:
        """(R, D) unit embeddings -> (R, T) float32 logits.

        In training the columns of tokens that no base word has are -inf.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            logits = embeddings.float() @ self.tokens.T * self.scale + self.bias
        if self.training and not self.train_novel:
            seen = self.positive_map[self.is_base].any(dim=0)
            logits = logits.masked_fill(~seen, -torch.inf)
        return logits

    def log_scores(self, embeddings: Tensor) -> Tensor:
        """(R, D) unit embeddings -> (R, W + 1) log-scores; the background has none: -inf."""
        scores = merge_tokens(logsigmoid(self.align(embeddings)).exp(), self.positive_map)
        background = scores.new_full((len(scores), 1), -torch.inf)
        return torch.cat([scores.clamp(min=torch.finfo(scores.dtype).tiny).log(), background], 1)


@MODELS.register_module()
class RegionTokenLoss(RegionWordLoss):
    """Sigmoid focal loss over the tokens of base words (GLIP).

    Args:
        loss_weight: 0 switches the term off, keeping the graph.
        alpha, gamma: of the focal loss.
    """

    def __init__(self, loss_weight: float = 1.0, alpha: float = 0.25, gamma: float = 2.0) -> None:
        super().__init__(loss_weight)
        self.alpha = alpha
        self.gamma = gamma
        self.register_buffer("targets", torch.zeros(1, 1) > 0, persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Takes the tokens of each word; the background, in the last row, has none."""
        owned = vocabulary.positive_map
        self.targets = torch.cat([owned, owned.new_zeros(1, owned.shape[1])]).to(
            self.targets.device
        )

    def get_accuracy(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Share of labelled RoIs' tokens that are found at a probability of a half, in percent."""
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
        """Sum over tokens and RoIs, over the number of labelled RoIs."""
        finite = torch.where(logits.isfinite(), logits, 0)
        if self.loss_weight == 0:
            return finite.sum() * 0
        considered = logits.isfinite().all(dim=0)
        loss = focal_loss(finite, self.targets[labels], considered, self.alpha, self.gamma, weights)
        return self.loss_weight * loss
