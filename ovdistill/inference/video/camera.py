"""Reads the frames of a webcam with OpenCV, which numbers cameras alike on all systems."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction

import cv2

from ovdistill.core.errors import UserError
from ovdistill.inference.video.reading import USUAL_RATE, Frame, VideoInfo

MILLISECOND = Fraction(1, 1000)
SILENT = 0  # OpenCV's level of messages
LARGEST_RATE = 240  # frames a second; drivers that state more state nonsense


class Camera:
    """The frames of a webcam, for ever: as many as the detector is fast enough to see.

    Args:
        number: of the camera, from 0 on.

    Attributes:
        info: like that of a ``VideoReader``; frames come at times of their own.
        damage: why the frames ended, a phrase; empty as long as they come.

    Raises:
        UserError: there is no such camera, or it gives no frames.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.damage = ""
        level = cv2.getLogLevel()
        cv2.setLogLevel(SILENT)  # the error says it
        try:
            self._capture = cv2.VideoCapture(number)
        finally:
            cv2.setLogLevel(level)
        if not self._capture.isOpened():
            raise UserError(
                f"no camera {number} can be opened: is one connected, may this user read it, and "
                "does no other program use it? The first camera is --webcam 0"
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not one that waited
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        usable = Fraction(rate).limit_denominator(1001) if 0 < rate <= LARGEST_RATE else USUAL_RATE
        self.info = VideoInfo(usable, None, MILLISECOND)

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames, with the seconds since the first one."""
        start, index = 0.0, 0
        while True:
            there, image = self._capture.read()
            if not there:
                self.damage = f"camera {self.number} gives no more frames"
                return
            now = time.monotonic()
            start = start or now
            yield Frame(index, now - start, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            index += 1
