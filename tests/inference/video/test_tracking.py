"""The same object has the same number in all frames; the tracker is that of ``trackers``."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.video.tracking import Tracker

from .clips import found_at


@pytest.fixture
def tracker() -> Tracker:
    pytest.importorskip("trackers")
    return Tracker(rate=25, score_threshold=0.3)


def test_moving_objects_keep_their_numbers_when_their_order_and_names_change(tracker) -> None:
    seen = []
    for step in range(20):
        star, heart = (
            (10 + 4 * step, 10, 50 + 4 * step, 50),
            (100 - 4 * step, 80, 140 - 4 * step, 120),
        )
        boxes = (star, heart) if step % 2 else (heart, star)
        found = tracker.update(found_at(*boxes, names=("star", "heart")), step / 25)
        ids = found.track_ids[:: 1 if step % 2 else -1]
        seen.append(ids.tolist())
        assert found.boxes.tolist() == np.array(boxes, np.float32).tolist()  # in their order
    assert seen[0] == [0, 0]  # nothing was seen twice yet
    assert seen[1:] == [seen[1]] * 19 and set(seen[1]) == {1, 2}


def test_a_hidden_object_gets_its_number_back_and_a_flicker_gets_none(tracker) -> None:
    ids = []
    for step in range(30):
        boxes = [(50.0, 50.0, 90.0, 90.0)] if step not in range(10, 20) else []
        if step == 5:
            boxes.append((200.0, 200.0, 240.0, 240.0))
        ids.append(tracker.update(found_at(*boxes), step / 25).track_ids.tolist())
    assert ids[5] == [1, 0] and ids[15] == [] and ids[29] == [1]


@pytest.mark.parametrize("hidden, number", [(0.6, 1), (5.0, 2)])
def test_what_a_camera_states_is_not_how_fast_its_frames_come(hidden: float, number: int) -> None:
    """A second is as long for a detector that takes 5 of its 30 frames a second."""
    pytest.importorskip("trackers")
    tracker, rate, ids = Tracker(rate=30, score_threshold=0.3), 5, []
    for step in range(8 + round(hidden * rate) + 2):
        there = step < 8 or step >= 8 + round(hidden * rate)
        boxes = [(50.0 + 20 * step, 50.0, 90.0 + 20 * step, 90.0)] if there else []
        ids += tracker.update(found_at(*boxes), step / rate).track_ids.tolist()
    assert ids[1:8] == [1] * 7 and ids[-1] == number


@pytest.mark.parametrize("seconds", [3.0, 0.0])  # 0: of a damaged video
def test_an_object_may_be_hidden_in_a_frame_whatever_the_time_between(seconds: float) -> None:
    pytest.importorskip("trackers")
    tracker, ids = Tracker(rate=1 / 3, score_threshold=0.3), []
    for step in range(10):
        boxes = [(50.0 + 8 * step, 50.0, 90.0 + 8 * step, 90.0)] if step != 5 else []
        ids.append(tracker.update(found_at(*boxes), 0.04 + step * seconds).track_ids.tolist())
    assert ids == [[0], *[[1]] * 4, [], *[[1]] * 4]


def test_frames_without_objects(tracker) -> None:
    assert [len(tracker.update(found_at(), step).track_ids) for step in range(3)] == [0, 0, 0]


def test_the_numbers_are_in_single_detections_and_records(tracker) -> None:
    for step in range(2):
        found = tracker.update(found_at((0, 0, 40, 40)), step / 25)
    assert found[0].track_id == 1 and found.records()[0]["track"] == 1
    assert found.filter(min_score=0.5).track_ids.tolist() == [1]
    untracked = found_at((0, 0, 40, 40))
    assert untracked[0].track_id is None and "track" not in untracked.records()[0]


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(UserError, match=r"ovdistill\[track\]"):
        Tracker(25, 0.3)
