"""CLIP-Adapter: a small network behind a tower, mixed with what the tower gives.

Source: Gao et al., "CLIP-Adapter: Better Vision-Language Models with Feature Adapters", IJCV 2024,
arXiv 2110.04544.

Shapes: n embeddings, D their width, H = D / reduction the width of the bottleneck.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher.adapter import TeacherAdapter, register_adapter
from ovdistill.teacher.adapters.formulas import mix_bottleneck

MODALITIES = ("image", "text")


@register_adapter
class ClipAdapter(TeacherAdapter):
    """Bottlenecks behind the towers: ``normalize(ratio A(e) + (1 - ratio) e)``.

    ``A(e) = relu(relu(e W1^T) W2^T)`` as in the released code, which has no bias. A ratio of 0 has
    no bottleneck: such embeddings stay as they are.

    Args:
        embed_dim: D.
        reduction: D / H.
        image_ratio: share of the bottleneck in image embeddings, in [0, 1]; 0.2 in the paper.
        text_ratio: the same in text embeddings; the paper has either 0 or 0.2.

    Raises:
        ValueError: a ratio that is not in [0, 1], or widths that do not fit.
    """

    kind = "clip-adapter"

    def __init__(
        self,
        embed_dim: int,
        reduction: int = 4,
        image_ratio: float = 0.2,
        text_ratio: float = 0.0,
    ) -> None:
        super().__init__()
        self.embed_dim, self.reduction = int(embed_dim), int(reduction)
        self.ratios = {"image": float(image_ratio), "text": float(text_ratio)}
        if not all(0 <= ratio <= 1 for ratio in self.ratios.values()):
            raise ValueError(f"ratios {self.ratios}; expected numbers in [0, 1]")
        if self.reduction < 1:
            raise ValueError(f"reduction {self.reduction}; expected 1 or more")
        hidden = self.embed_dim // self.reduction
        if hidden < 1:
            raise ValueError(f"a bottleneck of {hidden} for embeddings of width {embed_dim}")
        for modality in MODALITIES:
            if self.ratios[modality] > 0:
                down = nn.init.kaiming_uniform_(torch.empty(hidden, self.embed_dim), a=5**0.5)
                up = nn.init.kaiming_uniform_(torch.empty(self.embed_dim, hidden), a=5**0.5)
                setattr(self, f"{modality}_down", nn.Parameter(down))
                setattr(self, f"{modality}_up", nn.Parameter(up))

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments, see ``TeacherAdapter``."""
        return {
            "embed_dim": self.embed_dim,
            "reduction": self.reduction,
            "image_ratio": self.ratios["image"],
            "text_ratio": self.ratios["text"],
        }

    def embed_dim_after(self, embed_dim: int) -> int:
        """Return D, see ``TeacherAdapter``."""
        if embed_dim != self.embed_dim:
            raise UserError(
                f"the adapter takes embeddings of width {self.embed_dim}; the teacher's are of "
                f"width {embed_dim}"
            )
        return embed_dim

    def adapt_images(self, embeddings: Tensor) -> Tensor:
        """Adapt embeddings of images, see ``TeacherAdapter``."""
        return self._adapt(embeddings, "image")

    def adapt_texts(self, embeddings: Tensor) -> Tensor:
        """Adapt embeddings of texts, see ``TeacherAdapter``."""
        return self._adapt(embeddings, "text")

    def _adapt(self, embeddings: Tensor, modality: str) -> Tensor:
        ratio = self.ratios[modality]
        if not ratio:
            return embeddings
        down, up = (getattr(self, f"{modality}_{part}").to(embeddings) for part in ("down", "up"))
        return mix_bottleneck(embeddings, down, up, ratio)
