"""The distillation regions of an image.

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
    """The distillation regions of an image.

    Attributes:
        boxes: (P, 4) float32, xyxy, absolute pixels of the original image. (Not float16: that
            has steps of half a pixel beyond 512.)
        objectness: (P,) float32, score of each proposal.
        embeddings: (P, D) float16, unit norm up to rounding; bring to unit norm again in float32.
    """

    boxes: Tensor
    objectness: Tensor
    embeddings: Tensor

    def __len__(self) -> int:
        return len(self.boxes)

    def top(self, count: int) -> Regions:
        """The ``count`` regions of the highest objectness."""
        kept = self.objectness.argsort(descending=True, stable=True)[:count]
        return Regions(self.boxes[kept], self.objectness[kept], self.embeddings[kept])

    def stored(self, image_id: int) -> Regions:
        """As they go into a store: contiguous, embeddings of unit norm and in float16.

        Raises:
            UserError: parts of unequal lengths, NaN, or a zero embedding.
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
