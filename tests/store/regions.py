"""Random regions that the tests of stores share."""

from __future__ import annotations

import torch

from ovdistill.store import Regions


def random_regions(count: int, seed: int = 0, embed_dim: int = 8) -> Regions:
    """Return ``count`` regions, the same for the same seed; embeddings are not of unit norm."""
    generator = torch.Generator().manual_seed(seed)
    boxes = torch.rand(count, 4, generator=generator) * 1000
    embeddings = torch.randn(count, embed_dim, generator=generator)
    return Regions(boxes, torch.rand(count, generator=generator), embeddings)
