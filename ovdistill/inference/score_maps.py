"""The scores of class names at the pixels of one image, upsampled when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ovdistill.segmentation.best_names import PixelScores, parts_of_names


@dataclass(frozen=True, eq=False)
class ScoreMaps:
    """What a segmentor's scores were at every pixel.

    Attributes:
        scores: of rows of ``names`` in the image as the network saw it.
        names: those that were asked for first, then those that only compete.
        seen: h and w of the image as the network saw it.
        size: H and W of the image.
        pixels: of the scores of a name, see ``parts_of_names``.
    """

    scores: PixelScores
    names: tuple[str, ...]
    seen: tuple[int, int]
    size: tuple[int, int]
    pixels: int

    @torch.inference_mode()
    def of(self, row: int) -> np.ndarray:
        """Return the (H, W) float32 scores of a row of ``names``, 0 to 1."""
        return enlarge(self.scores(slice(row, row + 1))[0].float().cpu().numpy(), self.size)

    @torch.inference_mode()
    def ranked(self, x: int, y: int) -> list[tuple[str, float]]:
        """Return all names with their scores at a pixel of the image, best first."""
        row, column = (
            at * old // new for at, old, new in zip((y, x), self.seen, self.size, strict=True)
        )
        parts = parts_of_names(len(self.names), self.pixels)
        # a view of one pixel would keep the whole maps of each part
        scores = torch.cat([self.scores(part)[:, row, column].clone() for part in parts]).float()
        order = scores.argsort(descending=True, stable=True).tolist()
        return [(self.names[index], float(scores[index])) for index in order]


def enlarge(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return (H, W) values of (h, w) ones, interpolated bilinearly."""
    return values if values.shape == size else cv2.resize(values, size[::-1])
