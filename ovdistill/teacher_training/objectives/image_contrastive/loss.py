"""Image contrastive formulas on plain tensors (this file imports torch only).

Shapes: N images of one rank, M images of all ranks, K keys of a queue, D embedding width. All
embeddings have unit norm. The mean over ranks of a loss is the loss of the whole batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def batch_contrast(
    first: Tensor,
    second: Tensor,
    all_first: Tensor,
    all_second: Tensor,
    temperature: float,
    start: int = 0,
) -> Tensor:
    """Return the contrast of two views of each image among all views of the batch.

    Each view is a query, the other view of its image the one positive key, and the views of all
    other images the negative keys: ``-log(exp(q . k+ / tau) / sum_(k != q) exp(q . k / tau))``.
    Source: NT-Xent of SimCLR (Chen et al., arXiv 2002.05709), equation 1.

    Args:
        first: (N, D) the images.
        second: (N, D) the same images, augmented once more.
        all_first: (M, D) the images of all ranks.
        all_second: (M, D) likewise.
        temperature: tau.
        start: index of this rank's first image in those of all ranks.

    Returns:
        Scalar, the mean over the 2N views. Zero, with a graph, for N = 0.
    """
    logits = torch.cat([first, second]) @ torch.cat([all_first, all_second]).T / temperature
    own = torch.arange(start, start + len(first), device=first.device)
    other = own + len(all_first)
    # a view is no key of itself
    logits = logits.scatter(1, torch.cat([own, other])[:, None], -torch.inf)
    losses = F.cross_entropy(logits, torch.cat([other, own]), reduction="sum")
    return losses / max(len(logits), 1)


def queue_contrast(
    queries: Tensor, keys: Tensor, queue: Tensor, temperature: float, start: int = 0
) -> Tensor:
    """Return the contrast of each query with its key among the keys of the batch and of a queue.

    ``-log(exp(q . k+ / tau) / sum_k exp(q . k / tau))``. Source: MoCo (He et al., arXiv
    1911.05722), equation 1, whose negatives are the queue alone. Here the other keys of the batch
    are negatives too, as in MoCo v3, so that the first step, whose queue is empty, has some.

    Args:
        queries: (N, D) the images.
        keys: (M, D) the images of all ranks, augmented once more. Receive no gradient.
        queue: (K, D) keys of earlier batches; rows of zeros are empty.
        temperature: tau.
        start: index in ``keys`` of the key of the first query.

    Returns:
        Scalar, the mean over the N queries. Zero, with a graph, for N = 0.
    """
    candidates = torch.cat([keys.detach(), queue])
    empty = ~candidates.any(dim=1)
    logits = (queries @ candidates.T / temperature).masked_fill(empty, -torch.inf)
    targets = torch.arange(start, start + len(queries), device=queries.device)
    return F.cross_entropy(logits, targets, reduction="sum") / max(len(queries), 1)
