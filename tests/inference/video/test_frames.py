"""Frames are detected in batches, in order, each N-th or all."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.detections import Detections
from ovdistill.inference.video.counting import ObjectCounter
from ovdistill.inference.video.frames import detect_frames, predict_video
from ovdistill.inference.video.reading import Frame

from .clips import found_at, write_clip


class BoxAtBrightness:
    """A detector: the box begins where the brightness of the image says."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, images: Sequence[np.ndarray]) -> list[Detections]:
        self.batches.append(len(images))
        return [found_at((image[0, 0, 0], 0, 200, 200)) for image in images]


def frames(count: int) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(index, index / 10, np.full((4, 4, 3), index, np.uint8))


@pytest.mark.parametrize(
    ("every", "batch_size", "batches"),
    [(1, 1, [1] * 7), (1, 3, [3, 3, 1]), (3, 1, [1, 1, 1]), (2, 3, [3, 1]), (10, 4, [1])],
)
def test_every_frame_comes_with_the_detections_of_the_last_one_looked_at(
    every: int, batch_size: int, batches: list[int]
) -> None:
    detect = BoxAtBrightness()
    seen = list(detect_frames(frames(7), detect, every=every, batch_size=batch_size))
    assert detect.batches == batches
    assert [one.frame.index for one in seen] == list(range(7))
    assert [one.is_new for one in seen] == [index % every == 0 for index in range(7)]
    assert [one.detections.boxes[0, 0] for one in seen] == [i - i % every for i in range(7)]


def test_frames_are_not_read_ahead_of_a_batch() -> None:
    read = []

    def noted() -> Iterator[Frame]:
        for frame in frames(100):
            read.append(frame.index)
            yield frame

    seen = detect_frames(noted(), BoxAtBrightness(), every=2, batch_size=3)
    next(seen)
    assert len(read) == 5  # the first frame, the third and the fifth are looked at


def test_memory_does_not_grow_with_the_frames_that_are_left_out() -> None:
    alive: set[int] = set()
    most = 0

    def noted() -> Iterator[Frame]:
        nonlocal most
        for frame in frames(200):
            alive.add(frame.index)
            weakref.finalize(frame.image, alive.discard, frame.index)
            most = max(most, len(alive))
            yield frame
            del frame

    for every, batch_size, expected in ((60, 1, 4), (30, 8, 2 * 32), (60, 8, 4)):
        most = 0
        for _ in detect_frames(noted(), BoxAtBrightness(), every=every, batch_size=batch_size):
            pass
        assert most <= expected


def test_a_video_yields_index_time_and_detections_with_their_image(tmp_path) -> None:
    pytest.importorskip("av")
    path = write_clip(tmp_path / "a.mp4")
    found = list(predict_video(path, BoxAtBrightness(), 0.3, every=8))
    assert [(index, round(time, 3)) for index, time, _ in found] == [(0, 0), (8, 0.32), (16, 0.64)]
    detect = BoxAtBrightness()
    assert len(list(predict_video(path, detect, 0.3, every=2, batch_size=8))) == 10
    assert detect.batches == [8, 2]
    assert all(one.image.shape == (64, 96, 3) and one.size == (64, 96) for _, _, one in found)
    with pytest.raises(UserError, match="every=0"):
        next(predict_video(path, BoxAtBrightness(), 0.3, every=0))


def test_objects_are_counted_once_by_their_usual_name() -> None:
    from dataclasses import replace

    boxes = ((0, 0, 9, 9), (20, 0, 29, 9))
    counter, tracked = ObjectCounter(), ObjectCounter()
    for names, ids in (
        (("star", "star"), (0, 0)),
        (("star", "heart"), (1, 2)),
        (("star", "star"), (1, 2)),
        (("star", "star"), (1, 2)),
    ):
        found = found_at(*boxes, names=names)
        counter.add(found)
        tracked.add(replace(found, track_ids=np.array(ids)))
    assert counter.counts == {"star": 7, "heart": 1}
    assert tracked.counts == {"star": 2}
