"""`ovdistill predict` with videos, and the shipped detector."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

from ovdistill import Detector
from ovdistill.commands.predict.predict import PredictOptions, predict
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.inference import open_model
from ovdistill.inference.video.frames import SeenFrame
from ovdistill.inference.video.reading import VideoReader
from ovdistill.inference.video.results import VideoResults

from ...inference.video.clips import scene, write_clip

av = pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("usual_signals")
TEXT = "green star, red heart"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 10 frames, of which the shipped detector finds star and heart in each."""
    return write_clip(tmp_path_factory.mktemp("clip") / "pass.mp4", scene(10, (320, 180)))


@pytest.fixture(scope="module", autouse=True)
def loaded_once() -> None:
    """The detector is loaded once for all tests of this module."""
    detector = Detector.from_pretrained("ovshapes", device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Detector, "from_pretrained", lambda *_, **__: detector)
        yield


def run(*files: Path, out: Path, **options: object) -> int:
    values = {"text": TEXT, "images": tuple(map(str, files)), "out": str(out), **options}
    return predict(PredictOptions(**values))


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def interrupt_at(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send Ctrl-C when the frame of this index was written."""
    add = VideoResults.add

    def interrupted_add(self: VideoResults, seen: SeenFrame) -> None:
        add(self, seen)
        if seen.frame.index == index:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(VideoResults, "add", interrupted_add)


def test_a_folder_of_images_and_videos(clip: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(clip, folder / "a.mp4")
    shutil.copy(SAMPLE_IMAGE, folder / "a.png")
    (folder / "broken.avi").write_bytes(b"RIFF")
    (folder / "notes.txt").write_text("no image")
    assert run(folder, out=tmp_path / "out", every=3, batch_size=2) == 1
    printed = capsys.readouterr()
    assert "1 of 3 files" in printed.err and "broken.avi" in printed.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"a.png", "a.json", "a_mp4.mp4", "a_mp4.jsonl", "a_mp4.json"}
    found = lines(tmp_path / "out" / "a_mp4.jsonl")
    assert [line["frame"] for line in found] == [0, 3, 6, 9]
    for line in found:
        assert sorted(one["name"] for one in line["objects"]) == ["green star", "red heart"]
    starts = [
        one["box"][0] for line in found for one in line["objects"] if one["name"] == "green star"
    ]
    assert starts == sorted(starts) and starts[-1] - starts[0] > 100  # it goes right
    summary = json.loads((tmp_path / "out" / "a_mp4.json").read_text())
    assert summary["counts"] == {"green star": 4, "red heart": 4}
    with VideoReader(tmp_path / "out" / "a_mp4.mp4") as reader:
        assert len(list(reader)) == 10 and reader.info.rate == 25


def test_tracked_objects_are_counted_once(clip: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("trackers")
    assert run(clip, out=tmp_path, track=True, masks=True) == 0
    assert "objects: 1 green star, 1 red heart" in capsys.readouterr().out
    last = lines(tmp_path / "pass.jsonl")[-1]["objects"]
    assert sorted(one["track"] for one in last) == [1, 2] and all("mask" in one for one in last)


def test_an_interrupted_video_is_finished(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    interrupt_at(4, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(clip, clip, out=tmp_path)
    with VideoReader(tmp_path / "pass.mp4") as reader:
        assert len(list(reader)) == 5 and not reader.damage
    with av.open(str(tmp_path / "pass.mp4")) as container:
        sound = container.streams.audio[0]
        assert float(sound.duration * sound.time_base) < 0.3
    assert len(lines(tmp_path / "pass.jsonl")) == 5
    assert json.loads((tmp_path / "pass.json").read_text())["interrupted"]
    assert len(list(tmp_path.iterdir())) == 3
    assert "5 of 5 frames" in capsys.readouterr().out


def test_a_damaged_video_is_kept_as_far_as_it_goes(tmp_path: Path, capsys) -> None:
    path = write_clip(tmp_path / "a.mkv", scene(40, (320, 180)), sound=None)
    path.write_bytes(path.read_bytes()[: int(0.8 * path.stat().st_size)])
    assert run(path, out=tmp_path / "out", every=10) == 1
    error = capsys.readouterr().err
    assert "a.mkv" in error and "frames were kept" in error
    with VideoReader(tmp_path / "out" / "a.mp4") as reader:
        count = len(list(reader))
    assert 5 < count < 40
    summary = json.loads((tmp_path / "out" / "a.json").read_text())
    assert summary["frames"] == count and summary["damage"]


def test_a_video_that_cannot_be_written_does_not_stop_the_others(
    clip: Path, tmp_path: Path, capsys
) -> None:
    wide = np.zeros((16, 17_000, 3), np.uint8)
    path = write_clip(tmp_path / "wide.mkv", [wide], codec="ffv1", sound=None)
    assert run(path, clip, out=tmp_path / "out", every=10) == 1
    assert "1 of 2 videos" in (error := capsys.readouterr().err) and "17000 x 16" in error
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"pass.mp4", "pass.jsonl", "pass.json"}


def test_frames_in_python(clip: Path) -> None:
    detector = Detector.from_pretrained("ovshapes")
    found = list(detector.predict_video(clip, TEXT, every=5))
    assert [(index, round(time, 2)) for index, time, _ in found] == [(0, 0.0), (5, 0.2)]
    assert all(one.counts["green star"] == 1 and one.track_ids is None for _, _, one in found)


def test_what_does_not_fit_is_refused_before_the_detector_is_loaded(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_model, "open_model", lambda *_, **_options: pytest.fail("loaded"))
    (tmp_path / "empty.mp4").write_bytes(b"")
    for files, options, message in (
        ([SAMPLE_IMAGE], {"track": True}, "--track"),
        ([SAMPLE_IMAGE], {"every": 2, "masks": True}, "--masks, --every"),
        ([clip], {"save": ("image", "coco")}, "coco"),
        ([clip], {"webcam": 0}, "--webcam"),
        ([clip], {"out": str(clip.parent)}, "written over"),
        ([tmp_path / "empty.mp4"], {}, "empty"),
    ):
        with pytest.raises(UserError, match=message):
            run(*files, **{"out": tmp_path / "out", **options})
    assert not (tmp_path / "out").exists()


class Filmed:
    """OpenCV's capture of a camera that films ``scene``, for ever."""

    def __init__(self, number: int) -> None:
        self.frames = itertools.cycle(scene(10, (320, 180)))

    def isOpened(self) -> bool:
        return True

    def set(self, key: int, value: float) -> bool:
        return True

    def get(self, key: int) -> float:
        return 30.0

    def read(self) -> tuple[bool, np.ndarray]:
        return True, next(self.frames)[..., ::-1]

    def release(self) -> None:
        pass


def test_a_webcam_is_filmed_until_ctrl_c_which_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Filmed)
    interrupt_at(4, monkeypatch)
    assert run(out=tmp_path, webcam=0) == 0
    found = lines(tmp_path / "webcam_0.jsonl")
    assert [line["frame"] for line in found] == [0, 1, 2, 3, 4]
    times = [line["time"] for line in found]
    assert times == sorted(times) and times[0] == 0
    with VideoReader(tmp_path / "webcam_0.mp4") as reader:
        filmed = [frame.time for frame in reader]
    np.testing.assert_allclose(filmed, times, atol=0.01)


def test_a_webcam_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no camera 99"):
        run(out=tmp_path / "out", webcam=99)
