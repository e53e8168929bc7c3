"""Regions as a store takes them."""

from __future__ import annotations

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.store import Regions

from .regions import random_regions


def test_the_best_come_first() -> None:
    regions = Regions(torch.arange(12.0).reshape(3, 4), torch.tensor([0.2, 0.9, 0.5]), torch.eye(3))
    top = regions.top(2)
    assert torch.equal(top.objectness, regions.objectness[[1, 2]])
    assert torch.equal(top.boxes, regions.boxes[[1, 2]])
    assert torch.equal(top.embeddings, regions.embeddings[[1, 2]])
    assert len(regions.top(9)) == 3


def test_stored_embeddings_have_unit_norm_in_float16() -> None:
    stored = random_regions(4).stored(1)
    assert (stored.boxes.dtype, stored.objectness.dtype) == (torch.float32, torch.float32)
    assert stored.embeddings.dtype == torch.float16
    torch.testing.assert_close(stored.embeddings.norm(dim=1), torch.ones(4).half())


@pytest.mark.parametrize("count", [0, 1])
def test_few_regions(count: int) -> None:
    assert len(random_regions(count).stored(1)) == count


@pytest.mark.parametrize(
    "regions",
    [
        Regions(torch.zeros(2, 4), torch.zeros(1), torch.ones(2, 3)),
        Regions(torch.zeros(2, 5), torch.zeros(2), torch.ones(2, 3)),
        Regions(torch.zeros(2, 4), torch.zeros(2), torch.ones(2)),
        Regions(torch.zeros(2, 4), torch.zeros(2), torch.zeros(2, 3)),
        Regions(torch.zeros(1, 4), torch.zeros(1), torch.full((1, 3), torch.nan)),
        Regions(torch.full((1, 4), torch.nan), torch.zeros(1), torch.ones(1, 3)),
    ],
)
def test_bad_regions_name_the_image(regions: Regions) -> None:
    with pytest.raises(UserError, match="image 42"):
        regions.stored(42)
