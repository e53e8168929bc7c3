"""Samples that prompts learn from: the teacher's embeddings of regions, and what they show.

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
    """n regions and what they show.

    Attributes:
        embeddings: (n, D) float16, the teacher's, unit norm up to rounding.
        labels: (n,) int64, row of the word in the vocabulary, or ``BACKGROUND``.
        ious: (n,) float32, of the region and its box.
    """

    embeddings: Tensor
    labels: Tensor
    ious: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which: Tensor) -> Samples:
        return Samples(self.embeddings[which], self.labels[which], self.ious[which])

    def bins(self, edges: Sequence[float]) -> Tensor:
        """(n,) int64: k where edges[k] <= IoU < edges[k + 1], the last without end; -1 below."""
        return torch.bucketize(self.ious, torch.tensor(edges), right=True) - 1
