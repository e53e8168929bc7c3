"""Formulas of masked image modelling on plain tensors (this file imports torch only).

Shapes: N images, S their side in pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def draw_mask(images: Tensor, square: int, ratio: float) -> Tensor:
    """Draw squares of each image at random, the same number of each.

    Source: SimMIM (Xie et al., arXiv 2111.09886), section 3.2: random squares on a grid, of which
    the released code takes the share rounded up. Torch's global generator draws.

    Args:
        images: (N, 3, S, S).
        square: side of a square, pixels; those at the right and lower border may be cut.
        ratio: share of the squares that is hidden, in (0, 1].

    Returns:
        (N, 1, S, S) bool, True where a pixel is hidden.
    """
    height, width = images.shape[-2:]
    rows, columns = math.ceil(height / square), math.ceil(width / square)
    # a random order of the squares of each image, of which the first ones are hidden
    order = torch.rand(len(images), rows * columns, device=images.device).argsort(dim=1)
    grid = (order < math.ceil(ratio * rows * columns)).view(-1, 1, rows, columns)
    pixels = grid.repeat_interleave(square, dim=2).repeat_interleave(square, dim=3)
    return pixels[..., :height, :width]


def masked_pixel_loss(predicted: Tensor, images: Tensor, mask: Tensor) -> Tensor:
    """Return the mean absolute error of the hidden pixels.

    Source: SimMIM, equation 1: the L1 distance, divided by the number of hidden values. Pixels are
    those that the tower sees, normalised with its mean and standard deviation.

    Args:
        predicted: (N, 3, S, S).
        images: (N, 3, S, S), before squares were hidden.
        mask: (N, 1, S, S) bool.

    Returns:
        Scalar. Zero, with a graph, if no pixel is hidden.
    """
    error = (predicted.float() - images.float()).abs()
    return (error * mask).sum() / (images.shape[1] * mask.sum()).clamp(min=1)
