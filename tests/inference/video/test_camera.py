"""Webcams, as far as they can be tested without one."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.video.camera import Camera


class StandIn:
    """OpenCV's capture of a camera that gives three blue frames."""

    rate, left = 30.0, 3

    def __init__(self, number: int) -> None:
        self.released = False

    def isOpened(self) -> bool:
        return True

    def set(self, key: int, value: float) -> bool:
        return True

    def get(self, key: int) -> float:
        return self.rate

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (self.left >= 0), np.full((4, 6, 3), (255, 0, 0), np.uint8)

    def release(self) -> None:
        self.released = True


def test_no_camera_is_an_error_that_says_its_number(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="no camera 99"):
        Camera(99)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("stated", "rate"), [(30.0, 30), (0.0, 25), (1e6, 25)])
def test_frames_come_in_rgb_with_rising_times(
    monkeypatch: pytest.MonkeyPatch, stated: float, rate: int
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", StandIn)
    monkeypatch.setattr(StandIn, "rate", stated)
    with Camera(0) as camera:
        frames = list(islice(camera, 2))
        assert camera.info.rate == rate and camera.info.frames is None and not camera.damage
        assert [frame.index for frame in frames] == [0, 1]
        assert frames[0].time == 0 <= frames[1].time < 1
        assert frames[0].image[0, 0].tolist() == [0, 0, 255]
        list(camera)
        assert "no more frames" in camera.damage
    assert camera._capture.released
