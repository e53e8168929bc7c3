"""Masks by the boxes around them, which are most often a small part of an image.

Shapes: n masks of an image, H x W its pixels, h x w a coarse grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

Box: TypeAlias = tuple[slice, slice]  # rows and columns


def mask_boxes(masks: Tensor) -> list[Box]:
    """Return the rows and columns of the smallest box around each mask, of none if it is empty.

    Args:
        masks: (n, H, W) bool.
    """
    sides = [_spans(masks.any(dim=dim)) for dim in (2, 1)]
    return list(zip(*sides, strict=True))


def shares_of_grid(masks: Tensor, grid: tuple[int, int], meta: Mapping[str, Any]) -> Tensor:
    """Return which share of each position of a grid over the network input a mask covers.

    Args:
        masks: (n, H, W) bool, of the original image.
        grid: h, w, over the whole input, with its padding.
        meta: ``batch_input_shape``, ``img_shape`` (without padding) and ``ori_shape``.

    Returns:
        (n, h, w) float32 in [0, 1]; padding is covered by no mask.
    """
    rows, columns = (
        _overlaps(cells, side, inside / whole).to(masks.device)
        for cells, side, inside, whole in zip(
            grid, masks.shape[1:], meta["img_shape"][:2], meta["batch_input_shape"], strict=True
        )
    )
    found = rows.new_zeros(len(masks), *grid)
    for own, mask, (y, x) in zip(found, masks, mask_boxes(masks), strict=True):
        own.copy_(rows[:, y] @ mask[y, x].to(rows) @ columns[:, x].T)
    return found


def _spans(lines: Tensor) -> list[slice]:
    """Return the span of the true values of each row of (n, L) bool."""
    length = lines.shape[1]
    numbers = lines.to(torch.uint8)
    first, last = numbers.argmax(dim=1), length - numbers.flip(1).argmax(dim=1)
    last = torch.where(lines.any(dim=1), last, first)
    return [slice(*span) for span in zip(first.tolist(), last.tolist(), strict=True)]


def _overlaps(cells: int, pixels: int, inside: float) -> Tensor:
    """Return (cells, pixels): which share of a cell each pixel covers, along one side.

    Args:
        cells: of the grid.
        pixels: of the image.
        inside: the share of the grid that the image takes; the rest is padding.
    """
    size = pixels / (cells * inside)  # of a cell, in pixels
    starts = torch.arange(cells, dtype=torch.float64)[:, None] * size
    pixel = torch.arange(pixels, dtype=torch.float64)
    covered = torch.minimum(starts + size, pixel + 1) - torch.maximum(starts, pixel)
    return (covered.clamp(min=0) / size).float()
