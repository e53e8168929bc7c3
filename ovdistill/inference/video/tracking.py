"""Follows objects from frame to frame with ByteTrack, as the package ``trackers`` has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ovdistill.core.extras import import_extra
from ovdistill.inference.detections import Detections

SECONDS_REMEMBERED = 1.0  # that an object may be hidden
# so many seconds pass from a frame to the next one at most: what is seen in both is not forgotten
LONGEST_STEP = SECONDS_REMEMBERED / 2
BUFFER_RATE = 30  # frames a second that ``trackers`` counts its memory in
SEEN_TWICE = 2  # an object gets its number when it is seen the second time
LEAST_IOU = 0.1  # of the box where an object is expected and the one that is detected


class Tracker:
    """Numbers the objects of a video: the same object has the same number in all frames.

    Objects are told apart by their boxes alone: one whose name changes from frame to frame stays
    one object. One that was seen a single time has no number, so a false detection that flickers
    is not counted.

    Args:
        rate: frames a second that ``update`` gets, if they come as a file or a camera states it.
        score_threshold: the lowest score of the detections; each of them may be a new object.

    Raises:
        UserError: ``trackers`` is not installed.
    """

    def __init__(self, rate: float, score_threshold: float) -> None:
        self._step = min(1 / rate, LONGEST_STEP)  # usual seconds from a frame to the next one
        self._last = self._passed = 0.0  # time of the last frame, and seconds of all steps
        self._supervision = import_extra("supervision", "track")
        self._tracker = import_extra("trackers", "track").ByteTrackTracker(
            lost_track_buffer=round(SECONDS_REMEMBERED * BUFFER_RATE) + 1,  # times are rounded
            frame_rate=1 / self._step,
            track_activation_threshold=score_threshold,
            minimum_consecutive_frames=SEEN_TWICE,
            minimum_iou_threshold=LEAST_IOU,
            high_conf_det_threshold=score_threshold,
        )

    def update(self, found: Detections, time: float) -> Detections:
        """Return the detections of the next frame with their ``track_ids``.

        Args:
            found: the detections.
            time: when the frame is shown, or was taken, in seconds.
        """
        elapsed = time - self._last  # a damaged video may have several frames of one time
        self._passed += min(elapsed, LONGEST_STEP) if elapsed > 0 else self._step
        self._last = time
        count = len(found)
        given = self._supervision.Detections(
            xyxy=found.boxes.astype(np.float32).reshape(-1, 4),
            confidence=found.scores.astype(np.float32),
            class_id=np.arange(count),  # the tracker changes the order
        )
        tracked = self._tracker.update(given, timestamp=self._passed)
        numbers = np.zeros(count, dtype=np.int64)
        if len(tracked):
            numbers[tracked.class_id] = tracked.tracker_id + 1  # its numbers begin at 0, -1 is none
        return replace(found, track_ids=numbers)
