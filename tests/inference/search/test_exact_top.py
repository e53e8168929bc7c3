"""The rows that are found are those of brute force, in the same order, whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.inference.search.exact_top import Ranking, error_bound


def stored(rows: Tensor) -> Tensor:
    """Return rows as a store keeps them."""
    return normalize(rows.float(), dim=1).half()


def brute_force(rows: Tensor, queries: Tensor) -> np.ndarray:
    """Return the (P,) cosines with the query that fits best, in float64, one row at a time."""
    unit = normalize(queries.double(), dim=1).numpy()
    found = []
    for row in rows.double().numpy():
        norm = np.sqrt(np.square(row).sum())
        found.append(max((row * query).sum() / norm for query in unit))
    return np.array(found)


def check(rows: Tensor, queries: Tensor, k: int, sizes: list[int] | None = None) -> None:
    blocks = rows.split(sizes or [len(rows)])
    found = Ranking(blocks, queries).best(k)
    expected = brute_force(rows, queries)
    order = np.lexsort((np.arange(len(rows)), -expected))[:k]
    assert found.rows.tolist() == order.tolist()
    assert found.scores.tolist() == expected[order].tolist()


@pytest.mark.parametrize("width", [16, 100, 512])
@pytest.mark.parametrize("k", [1, 50])
def test_random_rows(width: int, k: int) -> None:
    torch.manual_seed(width)
    rows = stored(torch.randn(3000, width))
    check(rows, torch.randn(1, width), k, [1000, 0, 1, 1999])
    check(rows, torch.randn(4, width), k)


def test_rows_that_lie_in_a_narrow_cone() -> None:
    torch.manual_seed(0)
    centre = torch.randn(1, 512)
    rows = stored(centre + 0.05 * torch.randn(3000, 512))
    check(rows, centre + 0.05 * torch.randn(1, 512), 50)
    check(rows, -centre, 50)


def test_rows_closer_to_each_other_than_half_precision_can_tell() -> None:
    torch.manual_seed(0)
    query = normalize(torch.randn(1, 64), dim=1)
    across = torch.randn(2000, 64) * 1e-3
    check(stored(query + across), query, 20)


def test_ties_keep_the_order_of_the_rows() -> None:
    torch.manual_seed(0)
    few = stored(torch.randn(5, 512))
    rows = few[torch.randint(5, (3000,))]
    check(rows, torch.randn(1, 512), 700, [13, 987, 2000])
    check(stored(torch.ones(500, 8)), torch.ones(1, 8), 30)


def test_one_direction_and_its_opposite() -> None:
    rows = stored(torch.eye(4).repeat(10, 1))
    check(rows, torch.eye(4)[:1], 12)
    check(-rows, torch.eye(4)[:1], 40)


def test_the_query_that_fits_best_is_named() -> None:
    rows = stored(torch.eye(4))
    found = Ranking([rows], 7 * torch.eye(4)[[2, 0]]).best(2)
    assert found.rows.tolist() == [0, 2] and found.queries.tolist() == [1, 0]
    assert found.scores.tolist() == [1.0, 1.0]


def test_rows_that_are_left_out() -> None:
    torch.manual_seed(0)
    rows, query = stored(torch.randn(200, 16)), torch.randn(1, 16)
    left_out = torch.rand(200) < 0.5
    ranking = Ranking([rows], query)
    first = ranking.best(3)
    ranking.leave_out(left_out)
    order = np.argsort(-brute_force(rows, query))
    assert first.rows.tolist() == order[:3].tolist()
    for k in (30, 10, 500):  # more or less of it may be asked for later
        found = ranking.best(k)
        assert found.rows.tolist() == [row for row in order if not left_out[row]][:k]
    ranking.leave_out(~left_out)
    assert len(ranking.best(5).rows) == 0


@pytest.mark.parametrize("damage", [2.0, 60_000.0, float("nan"), float("inf")])
def test_rows_to_which_the_bound_does_not_apply(damage: float) -> None:
    torch.manual_seed(0)
    rows = stored(torch.randn(200, 16))
    rows[7] *= damage * rows[7].sign()  # fits the query better than any other
    with pytest.raises(UserError, match="unit norm"):
        Ranking([rows], torch.ones(1, 16)).best(1)


def test_the_bound_holds_and_is_small() -> None:
    torch.manual_seed(0)
    for scale in (torch.ones(512), torch.logspace(0, -6, 512)):
        rows = stored(torch.randn(2000, 512) * scale)
        unit = normalize((torch.randn(1, 512) * scale).double(), dim=1)
        rough = torch.mv(rows, unit[0].half()).double().numpy()
        error = np.abs(rough - brute_force(rows, unit)).max()
        assert error < error_bound(unit) < 2e-3
