"""What can be drawn: detections, or the labelled objects of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Drawable(Protocol):
    """n detections in an image, best first, such as ``inference.detections.Detections``."""

    @property
    def boxes(self) -> np.ndarray:
        """(n, 4) float, xyxy, absolute pixels of the image."""

    @property
    def scores(self) -> np.ndarray:
        """(n,) float in [0, 1]."""

    @property
    def labels(self) -> np.ndarray:
        """(n,) int, indices of classes."""

    @property
    def names(self) -> Sequence[str]:
        """The class name of each detection."""

    @property
    def masks(self) -> np.ndarray | None:
        """(n, H, W) bool, or None."""

    def __len__(self) -> int: ...
