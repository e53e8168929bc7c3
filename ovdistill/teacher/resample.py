"""Cut rectangles out of images and resize them as PIL does, in batches.

There are two implementations, which differ by two grey levels at most: on the CPU torch's integer
kernel, crop by crop; on an accelerator two matrix products for many crops at once.

Shapes: N images, n crops, S side of the results, L source rows or columns that a result needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

# half of a filter's width, in pixels of source or result, whichever are larger
SUPPORT = {"bilinear": 1.0, "bicubic": 2.0}
# The integer kernel resizes a crop from its first pixel on, although only its middle may be needed.
# Where it becomes longer than LONG * S, the products, which make only needed pixels, are faster.
LONG = 100
# float32 values in the source windows of a batch of products: 256 MB
VALUES_PER_BATCH = 1 << 26


@dataclass(frozen=True)
class Placement:
    """Positions of n resized rectangles of images in n squares; tensors are on the CPU.

    Attributes:
        rectangles: (n, 4) int64, xyxy, pixels of their images; may reach outside of them.
        resized: (n, 2) int64, height and width to which each rectangle is resized.
        offset: (n, 2) int64, row and column of the resized rectangle's first pixel in the square;
            negative where its beginning is cut off.
        size: S.
        fill: RGB, 0 to 255, of pixels that belong to no image.
    """

    rectangles: Tensor
    resized: Tensor
    offset: Tensor
    size: int
    fill: tuple[int, int, int]

    def __len__(self) -> int:
        return len(self.rectangles)

    def select(self, rows: Tensor) -> Placement:
        """Return the placement of some of the rectangles.

        Args:
            rows: int64 indices of them.
        """
        return Placement(
            self.rectangles[rows], self.resized[rows], self.offset[rows], self.size, self.fill
        )


def cut(images: Sequence[Tensor], index: Tensor, placed: Placement, interpolation: str) -> Tensor:
    """Cut rectangles out of images and resize them.

    Args:
        images: N images (3, H, W), uint8, on one device.
        index: (n,) int64 on the CPU, the image of each rectangle.
        placed: the rectangles and their positions.
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
    rows, targets = (~by_products).nonzero().flatten(), crops.unbind()
    single = _one_by_one(images, index[rows], placed.select(rows), interpolation)
    for row, crop in zip(rows.tolist(), single, strict=True):
        targets[row].copy_(crop)
    rows = by_products.nonzero().flatten()
    for part in _batches(placed.select(rows), interpolation):
        chosen = rows[part]
        crops[chosen.to(device)] = resize_by_products(
            images, index[chosen], placed.select(chosen), interpolation
        )
    return crops


def _one_by_one(
    images: Sequence[Tensor], index: Tensor, placed: Placement, interpolation: str
) -> Iterator[Tensor]:
    """Yield the crops (3, S, S) uint8, made one by one with torch's integer kernel."""
    size = placed.size
    fill = torch.tensor(placed.fill, dtype=torch.uint8).reshape(3, 1, 1)
    lengths = (placed.rectangles[:, 2:] - placed.rectangles[:, :2]).flip(1)
    # slightly more than the ratio: the kernel rounds sides down, and whole ones must stay whole
    scales = placed.resized / lengths.double() * (1 + 1e-9)
    whole = (placed.resized == lengths).all(dim=1)
    # What lies behind the square's last pixel is not resized. What lies before its first must be:
    # the kernel counts from there, and cannot begin between two pixels.
    spans = [_span(placed, axis, interpolation) for axis in (1, 0)]
    ends = torch.stack([start + count for start, count in spans], dim=1)
    rectangles = torch.cat([placed.rectangles[:, :2], placed.rectangles[:, :2] + ends], dim=1)
    columns = (index, rectangles, scales, whole, placed.offset)
    for image, rectangle, scale, same, offset in zip(*(c.tolist() for c in columns), strict=True):
        window = _window(images[image], rectangle, fill)
        if not same:
            # contiguous with colours innermost: half the time, and the result has this layout too
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
    """Return the pixels (3, h, w) of a rectangle, ``fill`` outside of the image."""
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
    """Yield indices of crops of similar sizes, few enough that their windows fit into memory."""
    lengths = torch.stack([_span(placed, axis, interpolation)[1] for axis in (0, 1)], dim=1)
    order = lengths.prod(dim=1).argsort()
    while len(order):
        count = len(order)
        while count > 1 and 3 * count * lengths[order[:count]].amax(0).prod() > VALUES_PER_BATCH:
            count = (count + 1) // 2
        yield order[:count]
        order = order[count:]


def resize_by_products(
    images: Sequence[Tensor], index: Tensor, placed: Placement, interpolation: str
) -> Tensor:
    """Do what ``cut`` does by two matrix products a crop, one over its rows, one over its columns.

    Arguments and result are those of ``cut``, on any device. It takes n times the area of the
    largest source window, in 3 channels of float32.
    """
    device = images[0].device
    rows, row_weights, row_used = _axis(placed, 0, interpolation, device)
    columns, column_weights, column_used = _axis(placed, 1, interpolation, device)
    needed = sorted(set(index.tolist()))
    stack = _stack([images[number] for number in needed])
    index = torch.searchsorted(torch.tensor(needed), index).to(device)
    heights, widths = (
        torch.tensor([images[number].shape[axis] for number in needed], device=device)[index, None]
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
    # rounded between the two passes, as in PIL
    windows = _grey(windows @ column_weights[:, None].mT)
    crops = _grey(row_weights[:, None] @ windows)
    used = row_used[:, None, :, None] & column_used[:, None, None, :]
    return torch.where(used, crops, fill.float().reshape(3, 1, 1)).byte()


def _grey(values: Tensor) -> Tensor:
    """Return values as whole grey levels from 0 to 255, still float."""
    return values.clamp(0, 255).round()


def _stack(images: Sequence[Tensor]) -> Tensor:
    """Return images (3, h, w) as one tensor (N, H, W, 3), as high and wide as any of them."""
    height, width = (max(image.shape[axis] for image in images) for axis in (1, 2))
    stack = images[0].new_zeros(len(images), height, width, 3)
    for target, image in zip(stack, images, strict=True):
        target[: image.shape[1], : image.shape[2]] = image.permute(1, 2, 0)
    return stack


def _span(placed: Placement, axis: int, interpolation: str) -> tuple[Tensor, Tensor]:
    """Return the first row (axis 0) or column (1) of each rectangle that is needed, and how many.

    Returns:
        (n,) int64; (n,) int64.
    """
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
    """Return pixels and weights for resizing along one axis: rows (0) or columns (1).

    Returns:
        (n, L) int64 pixels of the image to take; (n, S, L) float32 their weights; (n, S) bool,
        which pixels of the square the rectangle covers.
    """
    start, count = _span(placed, axis, interpolation)
    low, high = placed.rectangles[:, 1 - axis], placed.rectangles[:, 3 - axis]
    steps = torch.arange(int(count.max()))
    pixels = start[:, None] + steps  # of the rectangle
    scale = (high - low).double() / placed.resized[:, axis]
    target = torch.arange(placed.size) - placed.offset[:, axis, None]
    used = (target >= 0) & (target < placed.resized[:, axis, None])
    # computed in float64 before they go to the device: far pixels of large images need it
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
    """Return the weights of linear interpolation."""
    return (1 - distance).clamp(min=0)


def _cubic(distance: Tensor) -> Tensor:
    """Return the weights of Keys' cubic (1981) with a = -0.5, as in PIL and torch's kernels."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))


_FILTERS = {"bilinear": _triangle, "bicubic": _cubic}
