"""Region-word alignment in place of classification logits.

Shapes: R regions, C features of a region, D embedding width, W words.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import TextEmbeddings
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class RegionWordHead(BaseModule):
    """Projects region features into the teacher's space and compares them with words.

    ``forward`` stops at the embedding, because alignment and distillation both start there;
    ``align`` and ``log_scores`` go on to the words. The words are not weights: they come from a
    ``Vocabulary``, are not saved in checkpoints, and can be replaced at any time.

    Args:
        in_features: C.
        out_features: W + 1, given by mmdet's box heads; only the first size of the word buffer.
        embed_dim: D, the width of the teacher's embeddings.
        temperature: the similarity is divided by it. 0.01 in ViLD.
        learn_temperature: learn its inverse, from there on (HierKD).
        train_novel: novel words take part in training; only for an oracle, whose data label them.
        background: learn an embedding for "none of the words". Without it (ViLD-image) a region
            is always one of the words.
        score: 'softmax' over words and background (ViLD), or 'sigmoid' of each word for itself
            (RKD, Detic), which needs ``background=False``.
        prior_bias: with 'sigmoid', added to every logit and learned; -4.6 in RKD on LVIS, None on
            COCO.
        init_cfg: mmengine initialisation.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        embed_dim: int = 512,
        temperature: float = 0.01,
        background: bool = True,
        train_novel: bool = False,
        score: Literal["softmax", "sigmoid"] = "softmax",
        prior_bias: float | None = None,
        learn_temperature: bool = False,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(
            init_cfg or dict(type="Xavier", layer="Linear", distribution="uniform", bias=0)
        )
        self.scale = 1 / temperature
        if learn_temperature:
            self.scale = nn.Parameter(torch.tensor(self.scale))
        self.train_novel = train_novel
        if score == "sigmoid" and background:
            raise UserError("RegionWordHead(score='sigmoid') has no background: background=False.")
        self.score = score
        self.bias = None if prior_bias is None else nn.Parameter(torch.tensor(prior_bias))
        self.project = nn.Linear(in_features, embed_dim)
        self.background = nn.Parameter(torch.empty(1, embed_dim)) if background else None
        if background:
            nn.init.normal_(self.background, std=1 / math.sqrt(embed_dim))
        words = out_features - 1
        self.register_buffer("words", torch.zeros(words, embed_dim), persistent=False)
        self.register_buffer("is_base", torch.ones(words, dtype=torch.bool), persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replaces the words; one that is not base takes no part in training."""
        device = self.words.device
        self.words = vocabulary.embeddings.to(device)
        self.is_base = vocabulary.is_base.to(device)

    def as_inputs(self) -> TextEmbeddings:
        """The words as distillation terms see them."""
        scale = self.scale.detach() if isinstance(self.scale, Tensor) else self.scale
        return TextEmbeddings(self.words, self.is_base, 1 / scale)

    def forward(self, features: Tensor) -> Tensor:
        """(R, C) region features -> (R, D) float32 embeddings of unit norm."""
        return F.normalize(self.project(features).float(), dim=-1)

    def for_words(self, embeddings: Tensor) -> Tensor:
        """(R, D) of ``forward`` -> (R, D) that are compared with words: here the same."""
        return embeddings

    def for_distillation(self, embeddings: Tensor) -> Tensor:
        """(R, D) of ``forward`` -> (R, D) that are compared with the teacher: here the same."""
        return embeddings

    def align(self, embeddings: Tensor) -> Tensor:
        """(R, D) unit embeddings -> (R, W + 1) float32 logits, the background last.

        In training the columns of novel words are -inf: no loss ever sees them.
        """
        # float32 even under autocast: cosines over a temperature of 0.01 span +-100, where bf16
        # has steps of 0.5
        with torch.autocast(embeddings.device.type, enabled=False):
            logits = embeddings.float() @ self.words.T * self.scale
            if self.bias is not None:
                logits = logits + self.bias
            if self.training and not self.train_novel:
                logits = logits.masked_fill(~self.is_base, -torch.inf)
            if self.background is None:
                background = logits.new_full((len(logits), 1), -torch.inf)
            else:
                unit = F.normalize(self.background.float(), dim=-1)
                background = embeddings.float() @ unit.T * self.scale
        return torch.cat([logits, background], dim=1)

    def log_scores(self, embeddings: Tensor) -> Tensor:
        """(R, D) unit embeddings -> (R, W + 1) log-probabilities, the background last.

        With sigmoids a background has no probability of its own: its column is -inf.
        """
        logits = self.align(embeddings)
        return logits.log_softmax(dim=-1) if self.score == "softmax" else F.logsigmoid(logits)
