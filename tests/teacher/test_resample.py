"""The two ways to cut and resize rectangles give the same pixels; tests of crops use both."""

from __future__ import annotations

import pytest
import torch

from ovdistill.teacher import resample
from ovdistill.teacher.resample import Placement, cut, resize_by_products


def images() -> list[torch.Tensor]:
    """Return images (3, h, w) uint8 of different sizes, smooth enough to be resized."""
    generator = torch.Generator().manual_seed(0)
    coarse = [torch.rand(1, 3, h, w, generator=generator) for h, w in ((5, 9), (7, 4), (6, 6))]
    return [
        torch.nn.functional.interpolate(image, scale_factor=8, mode="bilinear")[0].mul(255).byte()
        for image in coarse
    ]


# of images 2, 0, 2, 0; the last two reach outside
INDEX = torch.tensor([2, 0, 2, 0])
PLACEMENT = Placement(
    rectangles=torch.tensor([[4, 4, 20, 12], [3, 1, 60, 30], [-8, -4, 30, 22], [60, 30, 99, 55]]),
    resized=torch.tensor([[16, 32], [16, 16], [11, 16], [16, 25]]),
    offset=torch.tensor([[0, -8], [0, 0], [2, 0], [0, -4]]),
    size=16,
    fill=(10, 200, 30),
)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_products_make_the_pixels_of_the_kernel(interpolation: str) -> None:
    """Images are used in any order, and not every one of them."""
    expected = cut(images(), INDEX, PLACEMENT, interpolation)
    found = resize_by_products(images(), INDEX, PLACEMENT, interpolation)
    assert found.shape == expected.shape == (4, 3, 16, 16)
    assert found.dtype == expected.dtype == torch.uint8
    difference = (found.float() - expected.float()).abs()
    assert difference.max() <= 2 and difference.mean() < 0.1


def test_small_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "LONG", 0)  # all by products
    whole = cut(images(), INDEX, PLACEMENT, "bicubic")
    monkeypatch.setattr(resample, "VALUES_PER_BATCH", 1)
    assert torch.equal(cut(images(), INDEX, PLACEMENT, "bicubic"), whole)


def test_selected_rows_are_those_of_the_whole() -> None:
    rows = torch.tensor([3, 1])
    part = PLACEMENT.select(rows)
    assert len(PLACEMENT) == 4 and len(part) == 2
    found = cut(images(), INDEX[rows], part, "bicubic")
    assert torch.equal(found, cut(images(), INDEX, PLACEMENT, "bicubic")[rows])


def test_what_is_not_covered_is_filled() -> None:
    rows = cut(images(), INDEX, PLACEMENT, "bicubic")[2]
    assert rows[:, 0, 0].tolist() == rows[:, -1, -1].tolist() == [10, 200, 30]
