"""Learns a CLIP-Adapter.

Source: Gao et al., "CLIP-Adapter: Better Vision-Language Models with Feature Adapters", IJCV 2024,
arXiv 2110.04544. Differences: AdamW with weight decay 0 in place of Adam; regions are not augmented
since they are embedded once; the ratios are settings, not searched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.seeds import drawn_by
from ovdistill.teacher import ClipAdapter, Teacher
from ovdistill.teacher_training.adapt.data import (
    Adaptation,
    AdaptData,
    AdaptMethod,
    adapted_by,
)
from ovdistill.teacher_training.adapt.fit import fit
from ovdistill.teacher_training.adapt.loss import name_loss
from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class ClipAdapterMethod(AdaptMethod):
    """Settings of CLIP-Adapter; see ``ClipAdapter``.

    Attributes:
        reduction: width of the embeddings over that of the bottleneck.
        image_ratio: share of the bottleneck in image embeddings, in [0, 1].
        text_ratio: the same in text embeddings.
    """

    name: ClassVar[str] = "clip-adapter"

    epochs: int = 50
    lr: float = 1e-3
    reduction: int = 4
    image_ratio: float = 0.2
    text_ratio: float = 0.0

    def check(self, teacher: Teacher, vocabulary: Vocabulary) -> None:
        """Check that the settings make a network for the teacher, see ``AdaptMethod``."""
        super().check(teacher, vocabulary)
        self._start(teacher.embed_dim)

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Learn the bottlenecks, see ``AdaptMethod``."""
        self.check(data.teacher, data.vocabulary)
        device, temperature = data.teacher.device, data.teacher.temperature
        adapter = self._start(data.teacher.embed_dim).to(device)
        images, texts = data.train.embeddings.to(device), data.base_texts.to(device)
        labels = data.base_labels(data.train).to(device)

        def loss_of(rows: Tensor) -> Tensor:
            adapted = adapter.adapt_images(images[rows])
            return name_loss(adapted, adapter.adapt_texts(texts), labels[rows], temperature)

        fit(adapter.parameters(), loss_of, len(data.train), self, report)
        return adapted_by(adapter.eval(), data, self.name)

    def _start(self, embed_dim: int) -> ClipAdapter:
        if not self.image_ratio and not self.text_ratio:
            raise UserError("both ratios are 0, so nothing is learned; expected one above 0")
        try:
            with drawn_by(self.seed):
                return ClipAdapter(embed_dim, self.reduction, self.image_ratio, self.text_ratio)
        except ValueError as error:
            raise UserError(f"CLIP-Adapter: {error}") from error
