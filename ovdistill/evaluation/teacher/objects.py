"""The true boxes of all images, as the teacher embeds them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class TrueObjects:
    """P labelled objects of all images; tensors are on the CPU.

    Attributes:
        image_ids: (P,) int64; objects of an image follow one another.
        boxes: (P, 4) float64, xyxy, absolute pixels of the original image.
        labels: (P,) int64, rows of the vocabulary.
        embeddings: (P, D) float32, unit norm.
    """

    image_ids: Tensor
    boxes: Tensor
    labels: Tensor
    embeddings: Tensor

    def __len__(self) -> int:
        return len(self.labels)
