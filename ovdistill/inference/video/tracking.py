"""Follows objects from frame to frame with ByteTrack, as the package ``trackers`` has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ovdistill.core.extras import import_extra
from ovdistill.inference.detections import Detections

SECONDS_REMEMBERED = 1.0  # that an object may be hidden
BUFFER_RATE = 30  # frames a second that ``trackers`` counts its memory in
SEEN_TWICE = 2  # an object gets its number when it is seen the second time
LEAST_IOU = 0.1  # of the box where an object is expected and the one that is detected


class Tracker:
    """Numbers the objects of a video: the same object has the same number in all frames.

    Objects are told apart by their boxes alone: one whose name changes from frame to frame stays
    one object. One that was seen a single time has no number, so a false detection that flickers
    is not counted.

    Args:
        rate: frames a second that ``update`` gets.
        score_threshold: the lowest score of the detections; each of them may be a new object.

    Raises:
        UserError: ``trackers`` is not installed.
    """

    def __init__(self, rate: float, score_threshold: float) -> None:
        self._supervision = import_extra("supervision", "track")
        self._tracker = import_extra("trackers", "track").ByteTrackTracker(
            lost_track_buffer=round(SECONDS_REMEMBERED * BUFFER_RATE),
            frame_rate=rate,
            track_activation_threshold=score_threshold,
            minimum_consecutive_frames=SEEN_TWICE,
            minimum_iou_threshold=LEAST_IOU,
            high_conf_det_threshold=score_threshold,
        )

    def update(self, found: Detections) -> Detections:
        """Return the detections of the next frame with their ``track_ids``."""
        count = len(found)
        given = self._supervision.Detections(
            xyxy=found.boxes.astype(np.float32).reshape(-1, 4),
            confidence=found.scores.astype(np.float32),
            class_id=np.arange(count),  # the tracker changes the order
        )
        tracked = self._tracker.update(given)
        numbers = np.zeros(count, dtype=np.int64)
        if len(tracked):
            numbers[tracked.class_id] = tracked.tracker_id + 1  # its numbers begin at 0, -1 is none
        return replace(found, track_ids=numbers)
