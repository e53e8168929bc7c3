"""Frames are written as a video that plays, with the sound of another one."""

from __future__ import annotations

import resource
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.video.reading import USUAL_RATE, VideoError, VideoInfo, VideoReader
from ovdistill.inference.video.writing import VideoWriter

from .clips import packets, scene, write_clip

av = pytest.importorskip("av")
INFO = VideoInfo(USUAL_RATE, None, 1 / USUAL_RATE)


def copy(source: Path, target: Path) -> VideoWriter:
    """Write the frames of a video as they are."""
    with VideoReader(source) as reader, VideoWriter(target, reader.info, source) as writer:
        for frame in reader:
            writer.write(frame.image, frame.time)
    return writer


@pytest.mark.parametrize(
    ("name", "codec", "sound", "rate"),
    [
        ("a.mp4", "libx264", "aac", 25),
        ("a.mp4", "libx264", "aac", Fraction(30000, 1001)),
        ("a.avi", "mpeg4", "mp3", 10),
        ("a.mkv", "libx264", "ac3", 30),
    ],
)
def test_rate_size_and_times_are_kept_and_the_sound_is_copied_bit_by_bit(
    tmp_path: Path, name: str, codec: str, sound: str, rate: Fraction
) -> None:
    source = write_clip(tmp_path / name, codec=codec, sound=sound, rate=rate)
    writer = copy(source, tmp_path / "out" / "b.mp4")
    assert writer.codec == "libx264" and not writer.notes
    with VideoReader(source) as first, VideoReader(writer.path) as second:
        pairs = list(zip(first, second, strict=True))
    assert abs(second.info.rate - rate) < 0.01 and second.info.frames == 20
    for one, other in pairs:
        assert one.image.shape == other.image.shape
        assert abs(one.time - other.time) < 0.001
        assert np.abs(one.image.astype(int) - other.image).mean() < 6
    assert packets(source, "audio") == packets(writer.path, "audio") != []
    with av.open(str(writer.path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_sound_that_mp4_has_no_place_for_is_left_out_and_named(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", sound="pcm_s16le")
    writer = copy(source, tmp_path / "b.mp4")
    assert len(writer.notes) == 1 and "pcm_s16le" in writer.notes[0]
    with av.open(str(writer.path)) as container:
        assert not container.streams.audio and container.streams.video[0].frames == 20


def test_sound_that_mp4_does_not_take_at_its_rate_is_left_out_and_named(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.avi", codec="mpeg4", sound="mp3", sound_rate=11_025)
    writer = copy(source, tmp_path / "b.mp4")
    assert len(writer.notes) == 1 and "MP4 takes no mp3 of 11025 Hz" in writer.notes[0]
    with av.open(str(writer.path)) as container:
        assert not container.streams.audio and container.streams.video[0].frames == 20


def test_a_frame_an_hour(tmp_path: Path) -> None:
    hour = VideoInfo(Fraction(1, 3600), None, Fraction(1, 10))
    with VideoWriter(tmp_path / "a.mp4", hour) as writer:
        for number, image in enumerate(scene(3)):
            writer.write(image, 3600.0 * number)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert [frame.time for frame in reader] == [0, 3600, 7200]


def test_frames_that_the_codec_does_not_take_are_an_error_of_this_video(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="libx264 takes no frames of 17000 x 16 pixels"):
        with VideoWriter(tmp_path / "a.mp4", INFO) as writer:
            writer.write(np.zeros((16, 17_000, 3), np.uint8), 0.0)
    assert not list(tmp_path.iterdir())


def test_what_was_written_before_an_error_plays_and_its_sound_is_as_long(tmp_path: Path) -> None:
    source, path = write_clip(tmp_path / "a.mp4", scene(50)), tmp_path / "b.mp4"
    with pytest.raises(RuntimeError), VideoReader(source) as reader:
        with VideoWriter(path, reader.info, source) as writer:
            for frame in reader:
                if frame.index == 25:
                    raise RuntimeError
                writer.write(frame.image, frame.time)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 25 and not reader.damage
    with av.open(str(path)) as container:
        sound = container.streams.audio[0]
        assert abs(float(sound.duration * sound.time_base) - 1) < 0.06
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".tmp"] == []


def test_odd_sizes_repeat_the_last_row_and_column(tmp_path: Path) -> None:
    image = np.full((33, 41, 3), 200, np.uint8)
    with VideoWriter(tmp_path / "a.mp4", INFO) as writer:
        writer.write(image, 0.0)
    with VideoReader(tmp_path / "a.mp4") as reader:
        (frame,) = reader
    assert frame.image.shape == (34, 42, 3)
    assert np.abs(frame.image.astype(int) - 200).max() < 6


def test_frames_of_one_time_are_kept_apart(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", INFO) as writer:
        for image, time in zip(scene(5), (0.0, 0.04, 0.04, 0.0, 0.2), strict=True):
            writer.write(image, time)
    with VideoReader(tmp_path / "a.mp4") as reader:
        times = [frame.time for frame in reader]
    assert len(times) == 5 and (np.diff(times) > 0).all()
    np.testing.assert_allclose(times, [0.0, 0.04, 0.04, 0.04, 0.2], atol=0.001)


def test_colours_are_those_of_the_frames(tmp_path: Path) -> None:
    colours = np.array([[230, 57, 70], [29, 120, 216], [42, 157, 62], [255, 255, 255]], np.uint8)
    image = np.repeat(np.repeat(colours[None], 64, axis=0), 16, axis=1)
    with VideoWriter(tmp_path / "a.mp4", INFO) as writer:
        writer.write(image, 0.0)
    with VideoReader(tmp_path / "a.mp4") as reader:
        (frame,) = reader
    middles = frame.image[32, 8::16].astype(int)
    assert np.abs(middles - colours).max() <= 6


def test_a_frame_of_another_size_is_an_error(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", INFO) as writer:
        writer.write(np.zeros((32, 32, 3), np.uint8), 0.0)
        with pytest.raises(UserError, match="64 x 32"):
            writer.write(np.zeros((32, 64, 3), np.uint8), 0.1)


def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out" / "a.mp4", INFO):
        pass
    assert not list(tmp_path.iterdir())


def test_another_codec_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovdistill.inference.video.writing.CODECS", ("libnone", "mpeg4"))
    with VideoWriter(tmp_path / "a.mp4", INFO) as writer:
        for number, image in enumerate(scene(5)):
            writer.write(image, number / 25)
    assert writer.codec == "mpeg4" and "mpeg4" in writer.notes[0]
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert len(list(reader)) == 5


def test_memory_stays_flat(tmp_path: Path) -> None:
    small = list(scene(40, (160, 96)))
    info = replace(INFO, frames=600)
    peaks = []
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        for number in range(600):
            writer.write(small[number % 40], number / 25)
            if number in (150, 599):
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert sum(1 for _ in reader) == 600
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    frames = small[0].nbytes * 449
    assert (peaks[1] - peaks[0]) * unit < frames / 4
