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
MOST_HELD = 32  # frames that are held for a batch, unless it is larger itself


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
    """Detect objects in frames, of which as many are held as a batch reaches over.

    Args:
        frames: of one video.
        detect: returns the detections in each of several images.
        every: detect in the first of so many frames.
        batch_size: images that ``detect`` gets at once; fewer if these reach over more than
            ``MOST_HELD`` frames.
        tracker: numbers the objects; None for no numbers.

    Yields:
        Every frame, in order.
    """
    left = iter(frames)
    batch_size = min(batch_size, 1 + max(MOST_HELD, batch_size) // every)
    while held := list(islice(left, every * (batch_size - 1) + 1)):
        results = detect([frame.image for frame in held[::every]])
        for start, found in zip(range(0, len(held), every), results, strict=True):
            if tracker is not None:
                found = tracker.update(found, held[start].time)
            for frame in held[start : start + every]:
                yield SeenFrame(frame, found, is_new=frame is held[start])
        for frame in islice(left, every - 1):  # behind the last one that was looked at
            yield SeenFrame(frame, found, is_new=False)


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
        frames = islice(reader, 0, None, every)
        for seen in detect_frames(frames, detect, batch_size=batch_size, tracker=tracker):
            image = seen.frame.image
            size = (image.shape[0], image.shape[1])
            found = replace(seen.detections, image=image, size=size)
            yield seen.frame.index, seen.frame.time, found
        if reader.damage:
            LOGGER.warning("%s is damaged: %s", path, reader.damage)
