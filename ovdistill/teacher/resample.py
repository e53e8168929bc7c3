"""Cutting rectangles out of images and resizing them as PIL does, in batches.

Two ways to the same pixels, two grey levels apart at most: on the CPU torch's integer kernel, crop
by crop; on an accelerator two matrix products for many crops at once.

Shapes: N images, n crops, S side of the results, L rows or columns that a result needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

# half of a filter's width, in pixels of source or result, whichever is coarser
SUPPORT = {"bilinear": 1.0, "bicubic": 2.0}
# The integer kernel begins at the crop's first pixel, although only its middle may be wanted: where
# the crop grows longer than this many S, the products, which make no other pixel, are faster.
LONG = 100
# float32 values in the windows of a batch of products: 256 MB
VALUES_A_BATCH = 1 << 26


@dataclass(frozen=True)
class Placement:
    """How n rectangles of images lie in n squares; tensors are on the CPU.

    Attributes:
        rectangles: (n, 4) int64, xyxy, pixels of their images; may reach outside of them.
        resized: (n, 2) int64, height and width that each rectangle is resized to.
        offset: (n, 2) int64, row and column of the resized rectangle's first pixel in the square;
            negative where its beginning is cut off.
        size: S.
        fill: RGB, 0 to 255, of what is no part of an image.
    """

    rectangles: Tensor
    resized: Tensor
    offset: Tensor
    size: int
    fill: tuple[int, int, int]

    def __len__(self) -> int:
        return len(self.rectangles)

    def at(self, rows: Tensor) -> Placement:
        """Those of the rectangles."""
        parts = (part[rows] for part in (self.rectangles, self.resized, self.offset))
        return Placement(*parts, self.size, self.fill)


def cut(images: Sequence[Tensor], index: Tensor, placed: Placement, interpolation: str) -> Tensor:
    """Cuts and resizes rectangles out of images.

    Args:
        images: N images (3, H, W), uint8, on one device.
        index: (n,) int64 on the CPU, the image of each rectangle.
        placed: the rectangles and their places.
        interpolation: 'bicubic' or 'bilinear', both antialiased.

    Returns:
        (n, 3, S, S) uint8 on the device of the images, channels last in memory.
    """
    device, size = images[0].device, placed.size
    crops = torch.empty(len(placed), size, size, 3, dtype=torch.uint8, device=device)
    crops = crops.permute(0, 3, 1, 2)
    by_products = placed.resized.amax(dim=1) > LONG * size
    if device.type != "cpu":
        by_products = torch.ones_like(by_products)
    rows, places = (~by_products).nonzero().flatten(), crops.unbind()
    for row, crop in zip(
        rows.tolist(), _one_by_one(images, index[rows], placed.at(rows), interpolation), strict=True
    ):
        places[row].copy_(crop)
    rows = by_products.nonzero().flatten()
    for part in _batches(placed.at(rows), interpolation):
        chosen = rows[part]
        crops[chosen.to(device)] = resize_by_products(
            images, index[chosen], placed.at(chosen), interpolation
        )
    return crops


def _one_by_one(
    images: Sequence[Tensor], index: Tensor, placed: Placement, interpolation: str
) -> Iterator[Tensor]:
    """(3, S, S) uint8 each, with torch's integer kernel (it takes one size at a time)."""
    size = placed.size
    fill = torch.tensor(placed.fill, dtype=torch.uint8).reshape(3, 1, 1)
    lengths = (placed.rectangles[:, 2:] - placed.rectangles[:, :2]).flip(1)
    # a hair more than the ratio: the kernel rounds sides down, and whole ones shall stay whole
    scales = placed.resized / lengths.double() * (1 + 1e-9)
    whole = (placed.resized == lengths).all(dim=1)
    # What is behind the square's last pixel is not resized. What is before its first must be:
    # the kernel counts from there, and cannot begin between two pixels.
    ends = torch.stack([sum(_span(placed, axis, interpolation)) for axis in (1, 0)], dim=1)
    rectangles = torch.cat([placed.rectangles[:, :2], placed.rectangles[:, :2] + ends], dim=1)
    columns = (index, rectangles, scales, whole, placed.offset)
    for image, rectangle, scale, same, offset in zip(*(c.tolist() for c in columns), strict=True):
        window = _window(images[image], rectangle, fill)
        if not same:
            # in one piece, colours innermost: half the time, and the result is laid out so too
            window = window[None].contiguous(memory_format=torch.channels_last)
            window = interpolate(window, scale_factor=scale, mode=interpolation, antialias=True)[0]
        skipped = [max(0, -start) for start in offset]
        window = window[:, skipped[0] : skipped[0] + size, skipped[1] : skipped[1] + size]
        if window.shape[1:] != (size, size):
            top, left = offset
            square = fill.repeat(1, size, size)
            square[:, top : top + window.shape[1], left : left + window.shape[2]] = window
            window = square
        yield window


def _window(image: Tensor, rectangle: Sequence[int], fill: Tensor) -> Tensor:
    """The pixels of a rectangle, ``fill`` outside of the image."""
    x1, y1, x2, y2 = rectangle
    height, width = image.shape[1:]
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    inside = image[:, top:bottom, left:right] if left < right and top < bottom else image[:, :0, :0]
    if inside.shape[1:] == (y2 - y1, x2 - x1):
        return inside
    window = fill.repeat(1, y2 - y1, x2 - x1)
    if inside.numel():
        window[:, top - y1 : bottom - y1, left - x1 : right - x1] = inside
    return window


def _batches(placed: Placement, interpolation: str) -> Iterator[Tensor]:
    """Rows of crops of like sizes, few enough that their windows fit into memory."""
    lengths = torch.stack([_span(placed, axis, interpolation)[1] for axis in (0, 1)], dim=1)
    order = lengths.prod(dim=1).argsort()
    while len(order):
        count = len(order)
        while count > 1 and 3 * count * lengths[order[:count]].amax(0).prod() > VALUES_A_BATCH:
            count = (count + 1) // 2
        yield order[:count]
        order = order[count:]


def resize_by_products(
    images: Sequence[Tensor], index: Tensor, placed: Placement, interpolation: str
) -> Tensor:
    """``cut`` for a batch on any device: rows and columns of a crop are two matrix products.

    Memory: n times the area of the largest window, 3 channels of float32.
    """
    device = images[0].device
    rows, row_weights, row_used = _axis(placed, 0, interpolation, device)
    columns, column_weights, column_used = _axis(placed, 1, interpolation, device)
    images = sorted(set(index.tolist()))
    stack = _stack([images[image] for image in images])
    index = torch.searchsorted(torch.tensor(images), index).to(device)
    heights, widths = (
        torch.tensor([images[p].shape[axis] for p in images], device=device)[index, None]
        for axis in (1, 2)
    )
    row_inside = (rows >= 0) & (rows < heights)
    column_inside = (columns >= 0) & (columns < widths)
    rows = rows.clamp(min=0).minimum(heights - 1)
    columns = columns.clamp(min=0).minimum(widths - 1)
    windows = stack[index[:, None, None], rows[:, :, None], columns[:, None, :]].float()
    inside = row_inside[:, :, None] & column_inside[:, None, :]
    fill = torch.tensor(placed.fill, device=device)
    windows = torch.where(inside[..., None], windows, fill.float()).permute(0, 3, 1, 2)
    # PIL keeps whole grey levels between the two passes
    windows = _grey(windows @ column_weights[:, None].mT)
    crops = _grey(row_weights[:, None] @ windows)
    used = row_used[:, None, :, None] & column_used[:, None, None, :]
    return torch.where(used, crops, fill.float().reshape(3, 1, 1)).byte()


def _grey(values: Tensor) -> Tensor:
    return values.clamp(0, 255).round()


def _stack(images: Sequence[Tensor]) -> Tensor:
    """(N, H, W, 3) uint8, as large as the largest image."""
    height, width = (max(image.shape[axis] for image in images) for axis in (1, 2))
    stack = images[0].new_zeros(len(images), height, width, 3)
    for place, image in zip(stack, images, strict=True):
        place[: image.shape[1], : image.shape[2]] = image.permute(1, 2, 0)
    return stack


def _span(placed: Placement, axis: int, interpolation: str) -> tuple[Tensor, Tensor]:
    """First row (axis 0) or column (1) of each rectangle that its square needs, and how many."""
    low, high = placed.rectangles[:, 1 - axis], placed.rectangles[:, 3 - axis]
    length, resized, offset = high - low, placed.resized[:, axis], placed.offset[:, axis]
    scale = length.double() / resized
    support = SUPPORT[interpolation] * scale.clamp(min=1)
    first = (-offset).clamp(min=0)  # of the resized pixels that are used
    last = (placed.size - 1 - offset).minimum(resized - 1)
    start = ((first + 0.5) * scale - support).floor().long().clamp(min=0)
    end = ((last + 0.5) * scale + support).ceil().long().minimum(length)
    return start, end - start


def _axis(
    placed: Placement, axis: int, interpolation: str, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Of one axis: (n, L) pixels to take, (n, S, L) their weights, (n, S) pixels that are made."""
    start, count = _span(placed, axis, interpolation)
    low, high = placed.rectangles[:, 1 - axis], placed.rectangles[:, 3 - axis]
    steps = torch.arange(int(count.max()))
    pixels = start[:, None] + steps  # of the rectangle
    scale = (high - low).double() / placed.resized[:, axis]
    target = torch.arange(placed.size) - placed.offset[:, axis, None]
    used = (target >= 0) & (target < placed.resized[:, axis, None])
    # distances are of float64 before they go to the device: far pixels of large images
    centre = (target + 0.5) * scale[:, None] - start[:, None] - 0.5
    within = pixels < (high - low)[:, None]
    centre, coarse, used, within = (
        value.to(device, dtype=dtype, non_blocking=True)
        for value, dtype in (
            (centre, torch.float32),
            (scale.clamp(min=1), torch.float32),
            (used, torch.bool),
            (within, torch.bool),
        )
    )
    distance = (steps.to(device) - centre[:, :, None]) / coarse[:, None, None]
    weights = _FILTERS[interpolation](distance.abs()) * within[:, None, :] * used[:, :, None]
    weights = weights / weights.sum(dim=2, keepdim=True).clamp(min=1e-6)
    return (low[:, None] + pixels).to(device), weights, used


def _triangle(distance: Tensor) -> Tensor:
    return (1 - distance).clamp(min=0)


def _cubic(distance: Tensor) -> Tensor:
    """Keys' cubic with a = -0.5, which PIL and torch's antialiased kernels use."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))


_FILTERS = {"bilinear": _triangle, "bicubic": _cubic}
