"""Detects objects in the frames of a video, in batches, in every frame or in some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from ovdistill.inference.detections import Detections
from ovdistill.inference.video.reading import Frame
from ovdistill.inference.video.tracking import Tracker

Detect = Callable[[Sequence[np.ndarray]], Sequence[Detections]]


class FoundFrame(NamedTuple):
    """What ``Detector.predict_video`` yields.

    Attributes:
        index: of the frame, from 0 on.
        time: when it is shown, in seconds.
        detections: what was found in it; they hold its image.
    """

    index: int
    time: float
    detections: Detections


@dataclass(frozen=True)
class SeenFrame:
    """A frame with what is known of it.

    Attributes:
        frame: the frame.
        detections: what was found in it, or in the last frame before it that was looked at.
        is_new: whether this frame was looked at itself.
    """

    frame: Frame
    detections: Detections
    is_new: bool


def detect_frames(
    frames: Iterable[Frame],
    detect: Detect,
    *,
    every: int = 1,
    batch_size: int = 1,
    tracker: Tracker | None = None,
) -> Iterator[SeenFrame]:
    """Detect objects in frames; at most ``every * batch_size`` frames are held at a time.

    Args:
        frames: of one video.
        detect: returns the detections in each of several images.
        every: detect in the first of so many frames.
        batch_size: images that ``detect`` gets at once.
        tracker: numbers the objects; None for no numbers.

    Yields:
        Every frame, in order.
    """
    left = iter(frames)
    while held := list(islice(left, every * batch_size)):
        looked_at = held[::every]
        results = detect([frame.image for frame in looked_at])
        for start, found in zip(range(0, len(held), every), results, strict=True):
            if tracker is not None:
                found = tracker.update(found)
            for frame in held[start : start + every]:
                yield SeenFrame(frame, found, is_new=frame is held[start])


def found_frames(seen: Iterable[SeenFrame]) -> Iterator[FoundFrame]:
    """Yield the frames that were looked at, as users get them."""
    for one in seen:
        if one.is_new:
            image = one.frame.image
            size = (image.shape[0], image.shape[1])
            found = replace(one.detections, image=image, size=size)
            yield FoundFrame(one.frame.index, one.frame.time, found)
