"""Gives the pixels of images names for all who have the page open, with one segmentor."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

import numpy as np

from ovdistill.app.finder import read_background, read_names
from ovdistill.inference.asked import AUTO
from ovdistill.inference.segmentation_result import SegmentationResult
from ovdistill.inference.segmentor import Segmentor


@dataclass(frozen=True)
class Segmented:
    """An image and its label map.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        name: of its file.
        result: its label map, with the scores of all names.
        notes: what was changed in the names, for people.
        seconds: how long it took.
    """

    image: np.ndarray
    name: str
    result: SegmentationResult
    notes: tuple[str, ...]
    seconds: float


class Segmenter:
    """One segmentor that many people ask, one after another.

    Args:
        segmentor: which looks at the image for each request.
    """

    def __init__(self, segmentor: Segmentor) -> None:
        self.segmentor = segmentor
        self.lock = threading.Lock()

    def segment(self, image: np.ndarray, name: str, text: str, background: str = AUTO) -> Segmented:
        """Give every pixel of an image a name.

        Args:
            image: (H, W, 3) uint8 RGB.
            name: of its file.
            text: names between commas; empty for the class names of the training.
            background: what competes with the names, see ``read_background``.

        Raises:
            UserError: too many names, a quote that is not closed, or no names where those of the
                training are unknown.
        """
        names = read_names(text) if text.strip() else None
        others = read_background(background)
        with self.lock:
            start = time.perf_counter()
            if names is None:
                self.segmentor.set_known_names()
            else:
                self.segmentor.set_vocabulary(names, others)
            result = self.segmentor.predict(image)
            return Segmented(
                image,
                name,
                replace(result, path=name),
                self.segmentor.engine.asked.notes,
                time.perf_counter() - start,
            )
