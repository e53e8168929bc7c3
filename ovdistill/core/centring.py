"""Centring: a map that removes the mean of a teacher's image and of its text embeddings.

CLIP's embeddings lie in two narrow cones, one for each modality, so that most of a distance to the
teacher is an offset that tells nothing. Without the means the gap between the modalities is gone
(embedding standardisation, arXiv 2412.14384, without the division by the standard deviation).

Most of what tells two texts apart tells nothing of an image. A detector that is trained on class
names alone learns these parts of the base names all the same, and a novel object, for which nobody
taught them, then looks like a base class. So the map can keep only the directions in which regions
differ from one another, for regions and for texts.

Shapes: n regions, W class names, D embedding width, E width after.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.embedding_map import EmbeddingMap
from ovdistill.core.teacher_id import TeacherId

NAME = "centred"


def centring_map(
    regions: Tensor,
    texts: Tensor,
    teacher: TeacherId,
    temperature: float = 0.01,
    variance: float | None = None,
) -> EmbeddingMap:
    """Return the map that centres embeddings.

    Cosines spread more once the means are gone, so the temperature grows with the spread over the
    class names that a region is compared with.

    Args:
        regions: (n, D) image embeddings, unit norm, as of the regions of a store.
        texts: (W, D) text embeddings, unit norm, as of base class names.
        teacher: that made them.
        temperature: divisor that turns cosines into logits before the map.
        variance: keep only the fewest directions that hold this share of the regions' variance, in
            (0, 1], such as 0.99. None keeps all D dimensions as they are.
    """
    regions, texts = normalize(regions.float(), dim=-1), normalize(texts.float(), dim=-1)
    tensors = {"image_bias": -regions.mean(dim=0), "text_bias": -texts.mean(dim=0)}
    name = NAME
    if variance is not None:
        kept = principal_directions(regions + tensors["image_bias"], variance)
        tensors = {part: kept @ bias for part, bias in tensors.items()}
        tensors |= {"image_weight": kept, "text_weight": kept.clone()}
        name = f"{NAME}{len(kept)}"
    found = EmbeddingMap(name, teacher, temperature, tensors)
    spread = _spread(found.images(regions), found.texts(texts)) / _spread(regions, texts)
    return EmbeddingMap(name, teacher, temperature * spread, tensors)


def principal_directions(centred: Tensor, variance: float) -> Tensor:
    """Return the fewest directions that hold a share of the variance of (n, D) centred rows.

    Returns:
        (E, D) orthonormal, those of the greatest variance first.
    """
    values, vectors = torch.linalg.eigh((centred.T @ centred).double())
    share = values.clamp(min=0).flip(0).cumsum(0) / values.clamp(min=0).sum()
    count = int((share < variance - 1e-9).sum()) + 1
    return vectors.T.flip(0)[:count].to(centred)


def _spread(regions: Tensor, texts: Tensor) -> float:
    """Return the standard deviation over the texts of a region's cosines, a mean over regions."""
    return float((regions @ texts.T).std(dim=1).mean().clamp(min=torch.finfo(torch.float32).eps))
