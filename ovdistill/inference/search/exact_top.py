"""Find the rows of highest cosine among many, exactly, and as fast as memory is read.

All rows are scored in half precision, as they are stored: one pass over 2 D bytes a row. How far
such a score can be from the cosine has a bound. So only rows that may be among the best, a few more
than are asked for, are scored again, in double precision.

Shapes: P rows, D embedding width, Q queries, n rows that are found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.errors import UserError

HALF = 2.0**-11  # largest relative rounding error of float16
SMALLEST = 2.0**-25  # largest rounding error of float16 near zero
SINGLE = 2.0**-24  # largest relative rounding error of float32
UNSOUND = (
    "scores of half precision are farther from the cosines than rounding explains; expected "
    "embeddings of unit norm, as an index has them (make it again), and a torch that sums products "
    "of float16 in float32"
)
ROWS_AT_ONCE = 8192  # of the second scoring: 32 MB as float64 with D = 512


class TopRows(NamedTuple):
    """Rows that were found, best first; of equal scores the first row first.

    Attributes:
        rows: (n,) int64.
        scores: (n,) float64, the cosine with the query that fits best.
        queries: (n,) int64, the index of that query.
    """

    rows: np.ndarray
    scores: np.ndarray
    queries: np.ndarray


class Ranking:
    """Rows ranked by their cosine with the query that fits best, as far as anybody asks.

    Args:
        blocks: (p, D) float16 on the CPU, P rows in all, each of unit norm before it was rounded.
        queries: (Q, D), of any norm but zero.
    """

    def __init__(self, blocks: Sequence[Tensor], queries: Tensor) -> None:
        self._blocks = blocks
        self._unit = torch.nn.functional.normalize(queries.double(), dim=1)
        self._error = error_bound(self._unit)
        self._rough = _half_scores(blocks, self._unit)
        self._left_out = torch.zeros(len(self._rough), dtype=torch.bool)

    def leave_out(self, rows: Tensor) -> None:
        """Leave rows out from now on.

        Args:
            rows: (P,) bool.
        """
        self._left_out |= rows
        self._rough.masked_fill_(rows, -torch.inf)

    def best(self, k: int) -> TopRows:
        """Return the k rows of the highest cosine; all if there are fewer.

        Raises:
            UserError: a row is not of unit norm, or torch's product of half precision is less exact
                than it should be: the bound does not hold.
        """
        k = min(k, int((~self._left_out).sum()))
        if k < 1:
            return TopRows(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
        # k rows have at least this cosine, so no row of the k best is rated two errors below the
        # k-th
        lowest = self._rough.topk(k).values[-1] - 2 * self._error
        if not lowest.isfinite():
            raise UserError(UNSOUND)
        candidates = (self._rough >= lowest).nonzero()[:, 0]
        cosines = _cosines(self._blocks, candidates, self._unit)
        scores = cosines.max(axis=0)
        if np.abs(scores - self._rough[candidates].numpy()).max() > self._error:
            raise UserError(UNSOUND)
        rows = candidates.numpy()
        best = np.lexsort((rows, -scores))[:k]
        return TopRows(rows[best], scores[best], cosines.argmax(axis=0)[best])


def error_bound(unit: Tensor) -> float:
    """Return how far a score of ``_half_scores`` can be from the cosine.

    Four errors add up: rows are rounded to float16, which changes their norm; so is the query;
    a sum of D products in float32; and its result is rounded to float16.

    Args:
        unit: (Q, D) float64 queries of unit norm.
    """
    width = unit.shape[1]
    norm = HALF + math.sqrt(width) * SMALLEST
    query = float((unit.half().double() - unit).norm(dim=1).max())
    return 1.1 * (norm + query + width * SINGLE + HALF + SMALLEST)  # 1.1: products of two errors


def _half_scores(blocks: Sequence[Tensor], unit: Tensor) -> Tensor:
    """Return (P,) float32 products of the rows with the query that fits best."""
    sizes = [len(block) for block in blocks]
    best = torch.empty(sum(sizes))
    for number, query in enumerate(unit.half()):
        # one query at a time: torch is slow with matrices of half precision
        for block, own in zip(blocks, best.split(sizes), strict=True):
            scores = torch.mv(block, query)
            own.copy_(scores if number == 0 else torch.maximum(own, scores.float()))
    return best


def _cosines(blocks: Sequence[Tensor], rows: Tensor, unit: Tensor) -> np.ndarray:
    """Return the (Q, n) float64 cosines of rows, given in rising order."""
    return np.concatenate(
        [_cosines_of(_gather(blocks, part), unit) for part in rows.split(ROWS_AT_ONCE)], axis=1
    )


def _gather(blocks: Sequence[Tensor], rows: Tensor) -> np.ndarray:
    """Return the (n, D) embeddings of rows, given in rising order, as float64."""
    ends = torch.tensor([len(block) for block in blocks]).cumsum(0)
    counts = torch.searchsorted(rows, ends).diff(prepend=torch.zeros(1, dtype=torch.int64))
    starts = ends - torch.tensor([len(block) for block in blocks])
    found = [
        block[own - start]
        for block, own, start in zip(blocks, rows.split(counts.tolist()), starts, strict=True)
        if len(own)
    ]
    return torch.cat(found).double().numpy()


def _cosines_of(embeddings: np.ndarray, unit: Tensor) -> np.ndarray:
    """Return the (Q, n) cosines of (n, D) embeddings, the same for equal ones.

    No matrix product is used: its sums depend on where a row stands, which would break ties.
    """
    norms = np.sqrt(np.square(embeddings).sum(axis=1))
    products = [(embeddings * query).sum(axis=1) for query in unit.numpy()]
    return np.stack(products) / norms
