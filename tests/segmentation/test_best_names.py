"""The best name of each pixel, found a few names at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ovdistill.segmentation.best_names import best_names, most_pixels, parts_of_names, to_original


@pytest.mark.parametrize("most", [1, 24, 36, 10**6])
def test_chunks_do_not_change_the_result(most):
    scores = torch.randn(7, 3, 4)
    asked: list[int] = []

    def part(names: slice) -> torch.Tensor:
        asked.append(len(scores[names]))
        return scores[names]

    labels, best = best_names(part, 7, 12, most)
    assert torch.equal(labels, scores.argmax(dim=0)) and torch.equal(best, scores.amax(dim=0))
    assert sum(asked) == 7 and max(asked) <= max(1, most // 12)


@pytest.mark.parametrize(
    ("seen", "original"), [((32, 64), (8, 16)), ((32, 64), (64, 64)), ((16, 16), (40, 20))]
)
def test_no_step_to_the_original_image_holds_more_values(monkeypatch, seen, original):
    grid = torch.rand(50, 4, 4)
    meta = dict(batch_input_shape=seen, img_shape=seen, ori_shape=original)
    held: list[int] = []

    def spy(*args: Any, **kwargs: Any) -> torch.Tensor:
        held.append(interpolate(*args, **kwargs).numel())
        return interpolate(*args, **kwargs)

    interpolate = F.interpolate
    monkeypatch.setattr(F, "interpolate", spy)
    for names in parts_of_names(50, most_pixels(meta), most=10_000):
        to_original(grid[names], meta)
    assert 5_000 < max(held) <= 10_000


def test_padding_is_cut_off_before_the_image_gets_its_size():
    grid = torch.zeros(1, 4, 4)
    grid[:, :, 2:] = 1.0  # the right half of the input, which is padding
    meta = dict(batch_input_shape=(16, 16), img_shape=(16, 8), ori_shape=(32, 16))
    maps = to_original(grid, meta)
    assert maps.shape == (1, 32, 16)
    assert maps[..., :11].amax() == 0  # the edge alone is mixed with it
    whole = to_original(grid, dict(meta, img_shape=(16, 16), ori_shape=(16, 16)))
    assert whole[..., 11:].amin() == 1.0
