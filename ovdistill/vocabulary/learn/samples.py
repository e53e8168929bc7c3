"""The samples that prompts are learned from: teacher embeddings of regions with class labels.

Shapes: n samples, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BACKGROUND = -1


@dataclass(frozen=True, eq=False)
class Samples:
    """n regions with their classes.

    Attributes:
        embeddings: (n, D) float16 or float32 teacher embeddings, unit norm up to rounding.
        labels: (n,) int64, row of the class in the vocabulary, or ``BACKGROUND``.
        ious: (n,) float32, IoU of the region with its ground truth box.
    """

    embeddings: Tensor
    labels: Tensor
    ious: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which: Tensor) -> Samples:
        return Samples(self.embeddings[which], self.labels[which], self.ious[which])

    def bins(self, edges: Sequence[float]) -> Tensor:
        """Return the bin of IoU of each sample.

        Args:
            edges: lower ends of the bins, ascending.

        Returns:
            (n,) int64: k where edges[k] <= IoU < edges[k + 1]; the last bin has no upper end; -1
            below the first edge.
        """
        return torch.bucketize(self.ious, torch.tensor(edges), right=True) - 1
