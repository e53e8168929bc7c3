"""From the scores of class names on a coarse grid to the best name of each pixel.

The scores are upsampled, not the labels. At full size, scores of 1,203 names would take 5 GB for
an image of 1024 x 1024 pixels; so a few names are upsampled at a time, and only the best is kept.
An image may be smaller than the network's input, to which its scores are upsampled first: the
larger of the two says how many names are a few.

Shapes: W class names, h x w grid, H x W pixels of the original image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

# from some rows of class names to their (rows, H, W) scores in the original image
PixelScores: TypeAlias = Callable[[slice], Tensor]
MOST_VALUES = 2**25  # float32 values of scores in one tensor: 128 MB


def best_names(
    scores: PixelScores, names: int, pixels: int, most: int = MOST_VALUES
) -> tuple[Tensor, Tensor]:
    """Return the best class name of each pixel.

    Args:
        scores: see ``PixelScores``.
        names: W, at least 1.
        pixels: see ``parts_of_names``.
        most: see ``parts_of_names``.

    Returns:
        (H, W) int64 rows of class names, and (H, W) their scores.
    """
    best: Tensor | None = None
    for some in parts_of_names(names, pixels, most):
        part, rows = scores(some).max(dim=0)
        if best is None:
            best, labels = part, rows
            continue
        better = part > best
        best = torch.where(better, part, best)
        labels = torch.where(better, rows + some.start, labels)
    assert best is not None
    return labels, best


def parts_of_names(names: int, pixels: int, most: int = MOST_VALUES) -> Iterator[slice]:
    """Yield rows of class names whose scores are few enough to be held together.

    Args:
        names: W.
        pixels: scores of one class name in the largest tensor on the way to the original image, see
            ``most_pixels``.
        most: scores of the rows in that tensor; a single name may have more.
    """
    step = max(1, most // pixels)
    for start in range(0, names, step):
        yield slice(start, min(start + step, names))


def most_pixels(meta: Mapping[str, Any]) -> int:
    """Return the pixels of the network input or of the original image, whichever has more.

    Args:
        meta: ``batch_input_shape`` and ``ori_shape``, as for ``to_original``.
    """
    return max(prod(meta["batch_input_shape"]), prod(meta["ori_shape"][:2]))


def to_original(grid: Tensor, meta: Mapping[str, Any]) -> Tensor:
    """Return maps of a grid over the network input as maps of the original image.

    Args:
        grid: (n, h, w), over the whole input, with its padding.
        meta: ``batch_input_shape``, ``img_shape`` (without padding) and ``ori_shape``.

    Returns:
        (n, H, W), interpolated bilinearly: to the input, and without padding to the image.
    """
    height, width = meta["img_shape"][:2]
    maps = resize(grid, tuple(meta["batch_input_shape"]))[:, :height, :width]
    return resize(maps, tuple(meta["ori_shape"][:2]))


def resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return (n, H, W) maps of (n, h, w) ones, interpolated bilinearly."""
    if tuple(maps.shape[-2:]) == size:
        return maps
    return F.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]
