"""Detects objects in the frames of a video, in batches, in every frame or in some."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.inference.detections import Detections
from ovdistill.inference.image_stream import Detect
from ovdistill.inference.video.reading import Frame, VideoReader
from ovdistill.inference.video.tracking import Tracker

LOGGER = logging.getLogger(__name__)


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


def predict_video(
    path: Path,
    detect: Detect,
    score_threshold: float,
    *,
    every: int = 1,
    batch_size: int = 1,
    track: bool = False,
) -> Iterator[tuple[int, float, Detections]]:
    """Detect objects in the frames of a video; a damaged one yields what can be read.

    Args:
        path: of the video.
        detect: see ``detect_frames``.
        score_threshold: the lowest score of the detections, for the tracker.
        every: see ``detect_frames``.
        batch_size: see ``detect_frames``.
        track: number the objects.

    Yields:
        Index, time in seconds and detections of each frame that was looked at; the detections
        hold its image.

    Raises:
        UserError: ``every`` or ``batch_size`` is below 1, a video that cannot be read, or a missing
            package.
    """
    if every < 1 or batch_size < 1:
        raise UserError(f"got every={every}, batch_size={batch_size}; expected 1 or more")
    with VideoReader(path) as reader:
        tracker = Tracker(float(reader.info.rate) / every, score_threshold) if track else None
        for seen in detect_frames(
            reader, detect, every=every, batch_size=batch_size, tracker=tracker
        ):
            if seen.is_new:
                image = seen.frame.image
                size = (image.shape[0], image.shape[1])
                found = replace(seen.detections, image=image, size=size)
                yield seen.frame.index, seen.frame.time, found
        if reader.damage:
            LOGGER.warning("%s is damaged: %s", path, reader.damage)
