"""Adds a visual prompt to images (this file imports torch only).

Source: Bahng et al., "Exploring Visual Prompts for Adapting Large-Scale Models", arXiv 2203.17274.

Shapes: n images, S side of the teacher's input, w width of the prompt, K pixels that it has.
"""

from __future__ import annotations

import torch
from torch import Tensor

PLACES = ("frame", "patch")


def add_prompt(images: Tensor, values: Tensor, width: int, place: str) -> Tensor:
    """Return ``x + v``, where v is zero outside of the prompt: equation 2 of the paper.

    It is not clamped, as in the released code, so that every pixel keeps its gradient.

    Args:
        images: (n, 3, S, S).
        values: (3, K), row by row from the top left.
        width: w.
        place: 'frame' or 'patch'.

    Returns:
        (n, 3, S, S), of the dtype of the images.
    """
    size = images.shape[-1]
    where = prompt_pixels(size, width, place).to(images.device).flatten().nonzero().flatten()
    full = torch.zeros(3, size * size, dtype=images.dtype, device=images.device)
    full = full.index_copy(1, where, values.to(full))
    return images + full.reshape(3, size, size)


def prompt_pixels(size: int, width: int, place: str) -> Tensor:
    """Return (S, S) bool, where the prompt is."""
    inside = torch.ones(size, size, dtype=torch.bool)
    if place == "patch":
        inside[width:], inside[:, width:] = False, False
    else:
        inside[width : size - width, width : size - width] = False
    return inside


def prompt_size(size: int, width: int, place: str) -> int:
    """Return K, the number of pixels of a prompt.

    Raises:
        ValueError: a width that does not fit, or an unknown place.
    """
    if place not in PLACES:
        raise ValueError(f"place {place!r}; expected one of: {', '.join(PLACES)}")
    most = size if place == "patch" else size // 2
    if not 0 < width <= most:
        raise ValueError(f"a {place} {width} pixels wide; expected 1 to {most}")
    return width**2 if place == "patch" else size**2 - (size - 2 * width) ** 2
