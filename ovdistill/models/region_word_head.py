"""Region-word alignment in place of classification logits.

Shapes: R RoIs, C features of a RoI, D embedding width, W class names.
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
    """Maps region features to the teacher's embedding space and compares them with class names.

    ``forward`` returns embeddings, because alignment and distillation both start there; ``align``
    and ``log_scores`` compare them with the text embeddings. These are not weights: they come from
    a ``Vocabulary``, are not saved in checkpoints, and can be replaced at any time.

    Args:
        in_features: C.
        out_features: W + 1, given by mmdet's box heads; the first vocabulary replaces it.
        embed_dim: D, the width of the teacher's embeddings.
        temperature: cosines are divided by it. 0.01 in ViLD.
        test_temperature: the same in testing, where it only sharpens or softens the scores; None =
            ``temperature``. 0.007 in DetPro.
        background: learn an embedding for "none of the classes". Without it (ViLD-image) a RoI
            always belongs to one of the classes.
        train_novel: include novel classes in training; only for an oracle whose data label them.
        score: 'softmax' over classes and background (ViLD), or one 'sigmoid' for each class (RKD,
            Detic), which needs ``background=False``.
        prior_bias: with 'sigmoid', the initial value of a learned bias on all logits; -4.6 in RKD
            on LVIS, None (no bias) on COCO.
        learn_temperature: learn the inverse of the temperature, which then starts from the given
            value (HierKD).
        init_cfg: mmengine initialisation.

    Raises:
        UserError: 'sigmoid' with a background; a temperature of testing that is not positive, or
            beside a learned one.
    """

    text_embeddings: Tensor
    is_base: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        embed_dim: int = 512,
        temperature: float = 0.01,
        *,
        test_temperature: float | None = None,
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
        if score == "sigmoid" and background:
            raise UserError("RegionWordHead(score='sigmoid') has no background: background=False.")
        if test_temperature is not None and (learn_temperature or not test_temperature > 0):
            raise UserError(
                f"RegionWordHead(test_temperature={test_temperature}, learn_temperature="
                f"{learn_temperature}); expected more than 0, and None where it is learned."
            )
        scale = 1 / temperature
        self.scale = nn.Parameter(torch.tensor(scale)) if learn_temperature else scale
        self.test_scale = None if test_temperature is None else 1 / test_temperature
        self.train_novel = train_novel
        self.score = score
        self.bias = None if prior_bias is None else nn.Parameter(torch.tensor(prior_bias))
        self.project = nn.Linear(in_features, embed_dim)
        self.background: nn.Parameter | None = None
        if background:
            self.background = nn.Parameter(torch.empty(1, embed_dim))
            nn.init.normal_(self.background, std=1 / math.sqrt(embed_dim))
        classes = out_features - 1
        self.register_buffer("text_embeddings", torch.zeros(classes, embed_dim), persistent=False)
        self.register_buffer("is_base", torch.ones(classes, dtype=torch.bool), persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names; novel ones are left out of training."""
        device = self.text_embeddings.device
        self.text_embeddings = vocabulary.embeddings.to(device)
        self.is_base = vocabulary.is_base.to(device)

    def texts(self) -> TextEmbeddings:
        """Return the text embeddings as distillation terms, which only train, see them."""
        scale = self.scale.detach() if isinstance(self.scale, Tensor) else self.scale
        return TextEmbeddings(self.text_embeddings, self.is_base, 1 / scale)

    def forward(self, features: Tensor) -> Tensor:
        """Return the (R, D) float32 embeddings, of unit norm, of (R, C) features."""
        return F.normalize(self.project(features).float(), dim=-1)

    def for_alignment(self, outputs: Tensor) -> Tensor:
        """Return the (R, D) part of ``forward``'s outputs to compare with texts: here all of it."""
        return outputs

    def for_distillation(self, outputs: Tensor) -> Tensor:
        """Return the (R, D) part of ``forward``'s outputs to compare with the teacher: here all."""
        return outputs

    @property
    def current_scale(self) -> float | Tensor:
        """The factor on cosines: that of training, or of testing where the two differ."""
        return self.scale if self.training or self.test_scale is None else self.test_scale

    def align(self, embeddings: Tensor) -> Tensor:
        """Compare (R, D) unit embeddings with the text embeddings.

        Returns:
            (R, W + 1) float32 logits, the background last. In training the columns of novel classes
            are -inf, so that no loss depends on them.
        """
        # float32 even under autocast: cosines over a temperature of 0.01 span +-100, where bf16
        # has steps of 0.5
        with torch.autocast(embeddings.device.type, enabled=False):
            logits = embeddings.float() @ self.text_embeddings.T * self.current_scale
            if self.bias is not None:
                logits = logits + self.bias
            if self.training and not self.train_novel:
                logits = logits.masked_fill(~self.is_base, -torch.inf)
            if self.background is None:
                background = logits.new_full((logits.shape[0], 1), -torch.inf)
            else:
                unit = F.normalize(self.background.float(), dim=-1)
                background = embeddings.float() @ unit.T * self.current_scale
        return torch.cat([logits, background], dim=1)

    def log_scores(self, embeddings: Tensor) -> Tensor:
        """Score (R, D) unit embeddings.

        Returns:
            (R, W + 1) log-probabilities, the background last. With sigmoids the background has no
            probability of its own: its column is -inf.
        """
        logits = self.align(embeddings)
        return logits.log_softmax(dim=-1) if self.score == "softmax" else F.logsigmoid(logits)
