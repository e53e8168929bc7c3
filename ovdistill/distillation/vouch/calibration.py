"""Calibrates objectness on the labelled objects of a run (this file imports torch only).

Networks differ in what a score of 0.3 means: one gives it to every region, another to sure objects
only. What a score says about a region without a label is seen in how it tells regions on labelled
objects from the others.

Shapes: P distillation regions, S cells of a histogram.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

CELLS = 64  # S
FORGET = 0.995  # what a step keeps of the counts before it: the last 200 steps decide
NO_TRUST, FULL_TRUST = 0.5, 0.8  # areas under the ROC curve; 0.5 is chance


class ObjectnessCalibration(nn.Module):
    """Running histograms of the objectness of regions with and without a label.

    They are part of a checkpoint, so that a resumed run goes on with the same values, and are
    summed over ranks, so that all ranks have the same.
    """

    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        # row 0: regions that match no label, row 1: regions on labelled objects
        self.register_buffer("counts", torch.zeros(2, CELLS))

    @torch.no_grad()
    def update(self, objectness: Tensor, labelled: Tensor) -> None:
        """Count the regions of a batch.

        Args:
            objectness: (P,) in [0, 1].
            labelled: (P,) bool, on a labelled object.
        """
        cell = (objectness * CELLS).long().clamp(0, CELLS - 1)
        fresh = torch.zeros_like(self.counts).flatten()
        fresh.index_add_(0, cell + CELLS * labelled.long(), torch.ones_like(objectness).float())
        fresh = fresh.view_as(self.counts)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(fresh)
        self.counts.mul_(FORGET).add_(fresh)

    def evidence(self, objectness: Tensor) -> Tensor:
        """Return how surely (P,) regions hold an object, in [0, 1].

        It is 0 at the median of the regions without a label, 1 at the median of those on labelled
        objects, and linear between them.
        """
        middle = medians(self.counts)
        return ((objectness - middle[0]) / (middle[1] - middle[0]).clamp(min=1 / CELLS)).clamp(0, 1)

    def trust(self) -> Tensor:
        """Return how far objectness can be trusted, a scalar in [0, 1].

        It is 0 where objectness tells labelled objects from other regions no better than chance,
        and 1 from an area under the ROC curve of 0.8 on. (Unlabelled objects are among the other
        regions, so that a perfect score does not reach an area of 1.)
        """
        return ((separation(self.counts) - NO_TRUST) / (FULL_TRUST - NO_TRUST)).clamp(0, 1)


def medians(counts: Tensor) -> Tensor:
    """Return the (2,) medians of two histograms over [0, 1], (2, S), linear within a cell.

    The median of an empty histogram is 0.
    """
    half = counts.sum(dim=1, keepdim=True) / 2
    above = counts.cumsum(dim=1)
    cell = (above < half).sum(dim=1, keepdim=True).clamp(max=counts.shape[1] - 1)
    inside, end = counts.gather(1, cell), above.gather(1, cell)
    share = 1 - (end - half) / inside.clamp(min=1e-12)
    return ((cell + share.clamp(0, 1)) / counts.shape[1] * (half > 0)).squeeze(1)


def separation(counts: Tensor) -> Tensor:
    """Return the area under the ROC curve of two histograms (2, S), a scalar in [0, 1].

    It is the probability that a region of row 1 has a higher score than one of row 0, where two
    scores of the same cell count half. 0.5 if a histogram is empty.
    """
    below, labelled = counts
    lower = below.cumsum(dim=0) - below / 2
    pairs = below.sum() * labelled.sum()
    return torch.where(pairs > 0, (labelled * lower).sum() / pairs.clamp(min=1e-12), 0.5)
