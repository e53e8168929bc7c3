"""Distillation regions of an image.

Shapes: P regions, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError


@dataclass(frozen=True, eq=False)
class Regions:
    """Distillation regions of an image: boxes with the teacher's embeddings.

    Attributes:
        boxes: (P, 4) float32, xyxy, absolute pixels of the original image. (float16 would have
            steps of half a pixel beyond 512.)
        objectness: (P,) float32, score of each proposal.
        embeddings: (P, D) float16, unit norm up to rounding; normalise them again in float32.
    """

    boxes: Tensor
    objectness: Tensor
    embeddings: Tensor

    def __len__(self) -> int:
        return len(self.boxes)

    def top(self, count: int) -> Regions:
        """Return the ``count`` regions of the highest objectness, best first."""
        kept = self.objectness.argsort(descending=True, stable=True)[:count]
        return Regions(self.boxes[kept], self.objectness[kept], self.embeddings[kept])

    def stored(self, image_id: int) -> Regions:
        """Return the regions as a store holds them: float32, embeddings as float16 of unit norm.

        Args:
            image_id: named in messages.

        Raises:
            UserError: wrong shapes or unequal lengths, NaN, or a zero embedding.
        """
        sizes = len(self.boxes), len(self.objectness), len(self.embeddings)
        if len({*sizes}) != 1 or self.boxes.shape[1:] != (4,) or self.embeddings.ndim != 2:
            raise UserError(
                f"image {image_id}: {sizes} boxes, scores and embeddings; "
                "expected (P, 4), (P,), (P, D)"
            )
        norms = self.embeddings.float().norm(dim=-1)
        if not (torch.isfinite(norms) & (norms > 0)).all() or self.boxes.isnan().any():
            raise UserError(
                f"image {image_id}: a box or an embedding with NaN, or a zero embedding"
            )
        unit = normalize(self.embeddings.float(), dim=-1).half()
        return Regions(self.boxes.float(), self.objectness.float(), unit)
