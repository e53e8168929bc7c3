"""Retrieval between images and their captions: whether each finds the other among all of them.

The usual measure of a CLIP model, as on COCO's 5,000 val images with five captions each. It is of
whole images, so it says how good the teacher is, not how good its crops are.

Shapes: N images, T captions, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ovdistill.evaluation.ranks import own_ranks
from ovdistill.evaluation.teacher.shares import Share, share_of

LEVELS = (1, 5, 10)
ROWS_PER_PASS = 512  # of 25,000 float32 similarities: 51 MB


@dataclass(frozen=True)
class Retrieval:
    """Recall between images and captions.

    Attributes:
        images: N.
        captions: T.
        image_to_text: share of the images that have one of their own captions among the nearest
            ``LEVELS`` captions; any of them counts.
        text_to_image: share of the captions that have their image among the nearest ``LEVELS``
            images.
    """

    images: int
    captions: int
    image_to_text: tuple[Share, ...]
    text_to_image: tuple[Share, ...]


def measure_retrieval(images: Tensor, texts: Tensor, image_of: Tensor) -> Retrieval:
    """Measure recall of images by captions and of captions by images.

    Args:
        images: (N, D) unit norm.
        texts: (T, D) unit norm, on the same device.
        image_of: (T,) int64, row of each caption's image; every image has a caption.
    """
    image_of = image_of.to(images.device)
    of_texts = [
        own_ranks(part @ images.T, own)
        for part, own in zip(texts.split(ROWS_PER_PASS), image_of.split(ROWS_PER_PASS), strict=True)
    ]
    rows = torch.arange(len(images), device=images.device)
    of_images = [
        _best_own_ranks(part @ texts.T, image_of == own[:, None])
        for part, own in zip(images.split(ROWS_PER_PASS), rows.split(ROWS_PER_PASS), strict=True)
    ]
    return Retrieval(
        images=len(images),
        captions=len(texts),
        image_to_text=_recalls(torch.cat(of_images)),
        text_to_image=_recalls(torch.cat(of_texts)),
    )


def _best_own_ranks(similarities: Tensor, is_own: Tensor) -> Tensor:
    """Return the rank of the nearest of an image's own captions.

    Args:
        similarities: (n, T) of n images.
        is_own: (n, T) bool, at least one True in a row.
    """
    best = similarities.masked_fill(~is_own, -torch.inf).argmax(dim=1)
    return own_ranks(similarities, best)


def _recalls(ranks: Tensor) -> tuple[Share, ...]:
    return tuple(share_of(ranks < level) for level in LEVELS)
