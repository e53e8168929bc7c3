"""Centring: a map that removes the mean of a teacher's image and of its text embeddings.

CLIP's embeddings lie in two narrow cones, one for each modality, so that most of a distance to the
teacher is an offset that tells nothing. Without the means the gap between the modalities is gone
(embedding standardisation, arXiv 2412.14384, without the division by the standard deviation).

Shapes: n regions, W class names, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.embedding_map import EmbeddingMap
from ovdistill.core.teacher_id import TeacherId

NAME = "centred"


def centring_map(
    regions: Tensor, texts: Tensor, teacher: TeacherId, temperature: float = 0.01
) -> EmbeddingMap:
    """Return the map that centres embeddings.

    Cosines spread more once the means are gone, so the temperature grows with the spread over the
    class names that a region is compared with.

    Args:
        regions: (n, D) image embeddings, unit norm, as of the regions of a store.
        texts: (W, D) text embeddings, unit norm, as of base class names.
        teacher: that made them.
        temperature: divisor that turns cosines into logits before the map.
    """
    regions, texts = normalize(regions.float(), dim=-1), normalize(texts.float(), dim=-1)
    tensors = {"image_bias": -regions.mean(dim=0), "text_bias": -texts.mean(dim=0)}
    found = EmbeddingMap(NAME, teacher, temperature, tensors)
    spread = _spread(found.images(regions), found.texts(texts)) / _spread(regions, texts)
    return EmbeddingMap(NAME, teacher, temperature * spread, tensors)


def _spread(regions: Tensor, texts: Tensor) -> float:
    """Return the standard deviation over the texts of a region's cosines, a mean over regions."""
    return float((regions @ texts.T).std(dim=1).mean().clamp(min=torch.finfo(torch.float32).eps))
