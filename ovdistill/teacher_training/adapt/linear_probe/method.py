"""Learns a linear probe that is a vocabulary: base names have its weights.

Sources: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision"
(CLIP), ICML 2021, for the probe; Wortsman et al., "Robust fine-tuning of zero-shot models"
(WiSE-FT), CVPR 2022, arXiv 2109.01903, for the start from the text embeddings and the mixture with
them, here of the weights of this layer alone.

Shapes: C base classes, W class names, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.adapt.data import (
    Adaptation,
    AdaptData,
    AdaptMethod,
    adapted_vocabulary,
)
from ovdistill.teacher_training.adapt.fit import fit
from ovdistill.teacher_training.adapt.linear_probe.loss import mix_weights
from ovdistill.teacher_training.adapt.loss import name_loss


@dataclass(frozen=True, kw_only=True)
class LinearProbeMethod(AdaptMethod):
    """Settings of a linear probe: one unit vector for each base class, without a bias.

    Attributes:
        mix: share of the probe in the result, in [0, 1]; the rest is the text embedding.
    """

    name: ClassVar[str] = "linear-probe"
    encodes_again: ClassVar[bool] = False

    epochs: int = 50
    lr: float = 1e-3
    mix: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.mix <= 1:
            raise UserError(f"got mix = {self.mix}; expected a share in [0, 1]")

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Learn the weights of base names, see ``AdaptMethod``; novel names keep their texts."""
        device, temperature = data.teacher.device, data.teacher.temperature
        images, texts = data.train.embeddings.to(device), data.base_texts.to(device)
        labels = data.base_labels(data.train).to(device)
        weights = texts.clone().requires_grad_()

        def loss_of(rows: Tensor) -> Tensor:
            return name_loss(images[rows], F.normalize(weights, dim=1), labels[rows], temperature)

        fit([weights], loss_of, len(data.train), self, report)
        embeddings = data.vocabulary.embeddings.clone()
        embeddings[data.base_rows] = mix_weights(weights.detach(), texts, self.mix).cpu()
        vocabulary = adapted_vocabulary(data.vocabulary, embeddings, self.name)
        return Adaptation(
            teacher=data.teacher,
            vocabulary=vocabulary,
            write=vocabulary.save,
            images=lambda regions: regions,
        )
