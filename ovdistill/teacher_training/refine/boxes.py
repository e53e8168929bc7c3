"""Boxes without labels, drawn at random, in which dense features are compared with crops."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.errors import UserError

MOST_CELLS = 6  # of a grid along an axis (CLIPSelf, section 3.2)
RANDOM_BOXES = 16
SMALLEST = 1 / 8  # of a random box's sides, by those of the image
KINDS = ("grid", "random")


def draw_boxes(rng: np.random.Generator, size: tuple[int, int], kind: str) -> Tensor:
    """Draw the boxes of an image.

    Args:
        rng: the state of chance.
        size: height and width of the image in pixels.
        kind: "grid": the cells of a grid of 1 to ``MOST_CELLS`` rows and as many columns, as in
            CLIPSelf; "random": ``RANDOM_BOXES`` boxes of any place, whose sides have uniform
            logarithms.

    Returns:
        (P, 4) float32, xyxy, absolute pixels of the image.

    Raises:
        UserError: another kind.
    """
    height, width = size
    if kind == "grid":
        rows, columns = rng.integers(1, MOST_CELLS + 1, size=2)
        y, x = np.linspace(0, height, rows + 1), np.linspace(0, width, columns + 1)
        top, left = (values.ravel() for values in np.meshgrid(y[:-1], x[:-1], indexing="ij"))
        end = np.meshgrid(y[1:], x[1:], indexing="ij")
        bottom, right = (values.ravel() for values in end)
    elif kind == "random":
        sides = np.exp(rng.uniform(np.log(SMALLEST), 0, size=(2, RANDOM_BOXES)))
        start = rng.uniform(size=(2, RANDOM_BOXES)) * (1 - sides)
        (top, left), (bottom, right) = start, start + sides
        top, bottom, left, right = top * height, bottom * height, left * width, right * width
    else:
        raise UserError(f"boxes {kind!r}; expected one of: {', '.join(KINDS)}")
    return torch.from_numpy(np.stack([left, top, right, bottom], axis=1)).float()
