"""Finds names in images for all who have the page open, with one detector.

An image is looked at once. Its regions are kept with the page, so that other names take
milliseconds, and another threshold nothing.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

import numpy as np

from ovdistill.app.kept_masks import KeptMasks
from ovdistill.core.errors import UserError
from ovdistill.inference.asked import AUTO, Background
from ovdistill.inference.detections import Detections
from ovdistill.inference.detector import Detector
from ovdistill.inference.prompts import split_names

LOWEST_SCORE = 0.05  # of a detection that the page can show
MOST_NAMES = 300  # of one request
MOST_CHARACTERS = 10_000  # of one request


@dataclass(frozen=True)
class Look:
    """An image, and what was found in it.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        name: of its file.
        detections: what was found, of scores from ``LOWEST_SCORE`` on, without the masks; None
            before names are given.
        masks: of the detections, or None if the detector has none.
        background: what competed with the names.
        notes: what was changed in the names, for people.
        seconds: how long the image took, once.
        name_seconds: how long the names took.
    """

    image: np.ndarray
    name: str
    detections: Detections | None = None
    masks: KeptMasks | None = None
    background: Background = AUTO
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    name_seconds: float = 0.0


class Finder:
    """One detector that many people ask, one after another.

    Args:
        detector: which keeps regions, or has one stage and looks at the image for each request.
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.lock = threading.Lock()

    def look(self, image: np.ndarray, name: str, text: str, background: str = AUTO) -> Look:
        """Look for names in a new image.

        Args:
            image: (H, W, 3) uint8 RGB.
            name: of its file.
            text: names between commas; empty for none yet.
            background: see ``read_background``.

        Raises:
            UserError: see ``ask``.
        """
        look = Look(image, name)
        return self.ask(look, text, background) if text.strip() else look

    def ask(self, look: Look, text: str, background: str = AUTO) -> Look:
        """Look for other names in an image.

        Raises:
            UserError: no names, too many of them, or a quote that is not closed.
        """
        names, others = read_names(text), read_background(background)
        with self.lock:
            start = time.perf_counter()
            self.detector.set_vocabulary(names, others)
            before = look.detections
            if before is not None and before.regions is not None:
                found = self.detector.requery(before, score_threshold=LOWEST_SCORE)
                seconds = look.seconds
            else:
                found = self.detector.predict(look.image, score_threshold=LOWEST_SCORE)
                seconds = time.perf_counter() - start
            return replace(
                look,
                detections=replace(found, image=look.image, path=look.name, masks=None),
                masks=None if found.masks is None else KeptMasks.of(found.masks),
                background=others,
                notes=self.detector.engine.asked.notes,
                seconds=seconds,
                name_seconds=time.perf_counter() - start,
            )

    def rank_names(self, look: Look, index: int) -> list[tuple[str, float]]:
        """Return the names that fit a detection best, and their scores.

        Args:
            look: what was found.
            index: of the detection.
        """
        assert look.detections is not None
        one = look.detections[index]
        if one.regions is None:  # of a one-stage detector
            return [(one.name, one.score), *([one.runner_up] if one.runner_up else [])]
        with self.lock:
            self.detector.set_vocabulary(list(one.queries), look.background)
            return self.detector.rank_names(one)


def read_names(text: str) -> list[str]:
    """Return the names of a text: between commas, which quotes protect, or on lines of their own.

    A text never names a file: the page is no way to read those of the computer.

    Raises:
        UserError: no names, too many of them, or a quote that is not closed.
    """
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"got {len(text)} characters; expected at most {MOST_CHARACTERS}")
    names = [name for line in text.splitlines() for name in split_names(line) if name.strip()]
    if not names:
        raise UserError("nothing to look for: type names between commas, such as red star, ring")
    if len(names) > MOST_NAMES:
        raise UserError(f"got {len(names)} names; expected at most {MOST_NAMES}")
    return names


def read_background(text: str) -> Background:
    """Return what competes: 'auto', None for an empty text or 'none', or the names of a text."""
    text = text.strip()
    if text.lower() in ("", "none"):
        return None
    return AUTO if text.lower() == AUTO else read_names(text)
