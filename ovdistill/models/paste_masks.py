"""Pastes the masks of boxes into images, many at once.

A box has its sides along the axes, so that bilinear interpolation is a product with one matrix for
the rows and one for the columns. That is several times faster than sampling a grid for each pixel.

Shapes: n masks of S x S cells, H x W pixels of the image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# Pixels that are interpolated together: in a CPU's cache; on a GPU 1 GiB of float32.
CPU_PIXELS, GPU_PIXELS = 2**19, 2**28


def paste_masks(
    logits: Tensor, boxes: Tensor, size: Sequence[int], threshold: float = 0.5
) -> Tensor:
    """Return masks in an image as mmdet's mask head does, (n, H, W) bool.

    Two kinds of boxes are not as in mmdet: one without a side has no pixels, and one beyond the
    image is no error.

    Args:
        logits: (n, S, S) logits of the masks in the boxes, row by row.
        boxes: (n, 4) xyxy, absolute pixels of the image; parts may lie outside of it.
        size: H and W.
        threshold: a pixel whose interpolated probability reaches it is of the object.
    """
    height, width = size
    pasted = torch.zeros((len(logits), height, width), dtype=torch.bool, device=logits.device)
    if not pasted.numel():
        return pasted
    with torch.autocast(logits.device.type, enabled=False):  # bf16 would move edges
        boxes, masks = boxes.float(), logits.float().sigmoid()
        on_cpu = logits.device.type == "cpu"
        together = max(1, (CPU_PIXELS if on_cpu else GPU_PIXELS) // (height * width))
        down = _interpolation(boxes[:, 1], boxes[:, 3], height, masks.shape[1]).split(together)
        across = _interpolation(boxes[:, 0], boxes[:, 2], width, masks.shape[2]).split(together)
        parts = zip(
            pasted.split(together), masks.split(together), boxes.split(together), down, across,
            strict=True,
        )  # fmt: skip
        for own, mask, around, rows, columns in parts:
            # a GPU would wait for the window, and needs less time for the whole image
            y, x = _window(around, size) if on_cpu else (slice(None), slice(None))
            own[:, y, x] = rows[:, y] @ mask @ columns[:, x].mT >= threshold
    return pasted


def _interpolation(low: Tensor, high: Tensor, pixels: int, cells: int) -> Tensor:
    """Return the (n, pixels, S) weights of the cells at the centre of each row or column.

    Beyond the outermost cells a mask fades to 0 over the width of a cell.
    """
    centres = torch.arange(pixels, device=low.device) + 0.5
    # without a side this is infinite or not a number: such a box has no pixels
    place = (centres - low[:, None]) / (high - low)[:, None] * cells - 0.5
    distance = (place[..., None] - torch.arange(cells, device=low.device)).abs_()
    return distance.neg_().add_(1).clamp_(min=0)


def _window(boxes: Tensor, size: Sequence[int]) -> tuple[slice, slice]:
    """Return the rows and columns that masks may reach: those of the boxes, and one around."""
    height, width = size
    left, top = (boxes[:, :2].amin(dim=0).floor().int() - 1).clamp(min=0).tolist()
    right, bottom = (boxes[:, 2:].amax(dim=0).ceil().int() + 1).clamp(min=0).tolist()
    return slice(min(top, height), min(bottom, height)), slice(min(left, width), min(right, width))
