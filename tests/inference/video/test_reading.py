"""Videos are read upright, with their times; damaged ones as far as they go."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.video.files import is_video
from ovdistill.inference.video.frames import SeenFrame
from ovdistill.inference.video.reading import VideoError, VideoInfo, VideoReader
from ovdistill.inference.video.results import VideoResults
from ovdistill.inference.video.writing import VideoWriter

from .clips import found_at, scene, write_clip

av = pytest.importorskip("av")


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.mov", "libx264", None),
        ("a.avi", "mpeg4", "mp3"),
        ("a.mkv", "libx264", "pcm_s16le"),
        ("a.webm", "libvpx-vp9", None),
        ("a.gif", "gif", None),
    ],
)
def test_every_container_has_all_frames_at_their_times(
    tmp_path: Path, name: str, codec: str, sound: str | None
) -> None:
    path = write_clip(tmp_path / name, codec=codec, sound=sound)
    assert is_video(path)
    with VideoReader(path) as reader:
        frames = list(reader)
    assert reader.info.rate == 25 and not reader.damage
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(20) / 25, atol=0.002)
    for frame, image in zip(frames, scene(), strict=True):
        assert np.abs(frame.image.astype(int) - image).mean() < 25  # of 255; a GIF is coarse


def test_a_gif_with_one_image_is_no_video(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.gif", [np.zeros((8, 8, 3), np.uint8)], codec="gif", sound=None)
    assert not is_video(path)
    (tmp_path / "b.gif").write_bytes(b"GIF89a")
    assert not is_video(tmp_path / "b.gif")
    # 14,000 x 14,000 pixels, above Pillow's own limit; its pixels are not decoded
    size = b"\xb0\x36" * 2
    header = b"GIF89a" + size + b"\x80\0\0" + bytes(6) + b"," + bytes(4) + size
    (tmp_path / "c.gif").write_bytes(header + b"\0\2\2\x4c\1\0;")
    assert not is_video(tmp_path / "c.gif")


def turn(path: Path) -> Path:
    """Turn an MP4 file by 90 degrees clockwise: change the matrix of its track header."""
    content = path.read_bytes()
    start = content.index(b"tkhd") + 4 + 40
    one, zero, minus = (value.to_bytes(4, "big", signed=True) for value in (65536, 0, -65536))
    matrix = [zero, one, zero, minus, zero, zero]
    path.write_bytes(content[:start] + b"".join(matrix) + content[start + 24 :])
    return path


def test_a_turned_video_is_upright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((32, 48, 3), np.uint8)
    image[:16, :24] = 255  # the upper left quarter
    path = turn(write_clip(tmp_path / "a.mp4", [image] * 3, sound=None))
    with VideoReader(path) as reader:
        upright = next(iter(reader)).image
    assert upright.shape == (48, 32, 3)
    assert upright[:20, 20:].mean() > 240  # now upper right
    assert upright[28:].mean() < 15


def test_pixels_of_a_turned_video_are_as_wide_as_they_were_high(tmp_path: Path) -> None:
    for turned, expected in ((False, Fraction(4, 3)), (True, Fraction(3, 4))):
        path = tmp_path / "a.mp4"
        with VideoWriter(path, VideoInfo(Fraction(25), None, Fraction(1, 25))) as writer:
            writer.write(np.zeros((32, 48, 3), np.uint8), 0, Fraction(4, 3))
        with VideoReader(turn(path) if turned else path) as reader:
            (frame,) = reader
            results = VideoResults(tmp_path / "b", reader.info, None, ("image",))
            results.add(SeenFrame(frame, found_at(), is_new=True))
        results.close({})
        assert frame.pixel_aspect == expected
        with VideoReader(tmp_path / "b.mp4") as reader:
            assert next(iter(reader)).pixel_aspect == expected


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [("a.avi", "mpeg4", None), ("a.mkv", "libx264", None), ("a.mkv", "libx264", "aac")],
)
@pytest.mark.parametrize("share", [0.6, 0.9])
def test_a_cut_file_keeps_its_beginning_and_says_so(
    tmp_path: Path, name: str, codec: str, sound: str | None, share: float
) -> None:
    path = write_clip(tmp_path / name, scene(60, (192, 128)), codec=codec, sound=sound)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with VideoReader(path) as reader:
        frames = list(reader)
    assert 0 < len(frames) < 60
    assert str(len(frames)) in reader.damage


def test_damaged_packets_are_skipped(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", sound=None)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = np.random.default_rng(0).bytes(400)
    path.write_bytes(content)
    with VideoReader(path) as reader:
        frames = list(reader)
    assert 2 <= len(frames) <= 20
    assert reader.damage


@pytest.mark.parametrize("content", [b"", b"no video at all" * 50, b"#EXTM3U\n#EXTINF:1,\na.mp4\n"])
def test_what_is_no_video_is_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    write_clip(tmp_path / "a.mp4")
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)  # the last one is a playlist, which names another file
    with pytest.raises(VideoError, match=r"bad\.mp4"):
        VideoReader(path)
    with pytest.raises(VideoError, match=r"none\.mp4"):
        VideoReader(tmp_path / "none.mp4")


def test_sound_alone_is_an_error(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.sample_rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode()])
    with pytest.raises(VideoError, match="no images"):
        VideoReader(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "mpeg4"), ("a.avi", "mpeg4"), ("a.gif", "gif")],
)
def test_changed_bytes_give_frames_or_an_error_of_ours(
    tmp_path: Path, name: str, codec: str
) -> None:
    rng = np.random.default_rng(0)
    path = write_clip(tmp_path / name, codec=codec, sound=None)
    content = path.read_bytes()
    for _ in range(15):
        changed = np.frombuffer(content, np.uint8).copy()
        where = rng.integers(len(content), size=rng.integers(1, 12))
        changed[where] = rng.integers(256, size=len(where))
        path.write_bytes(changed[: rng.integers(len(content) // 2, len(content) + 1)].tobytes())
        try:
            with VideoReader(path) as reader:
                times = [frame.time for frame in reader]
        except VideoError:
            continue
        assert times and (np.diff(times) >= 0).all() and np.isfinite(times).all()


def test_times_count_from_the_start_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number, image in enumerate(scene(5)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = 90_000 * 25 + number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with VideoReader(path) as reader:
        np.testing.assert_allclose([f.time for f in reader], np.arange(5) / 25, atol=0.002)
    assert not reader.damage


def test_frames_of_another_size_are_left_out(tmp_path: Path) -> None:
    joined = tmp_path / "a.mpg"
    with open(joined, "wb") as file:
        for width in (96, 128):
            frames = scene(10, (width, 64))
            path = write_clip(tmp_path / "part.mpg", frames, codec="mpeg2video", sound=None)
            file.write(path.read_bytes())
    with VideoReader(joined) as reader:
        sizes = {frame.image.shape for frame in reader}
    assert len(sizes) == 1
    assert "another size" in reader.damage


def test_frame_rates_that_are_no_whole_numbers(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", rate=Fraction(30000, 1001), sound=None)
    with VideoReader(path) as reader:
        assert reader.info.rate == Fraction(30000, 1001) and reader.info.frames == 20


def test_without_pyav_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r"ovdistill\[video\]"):
        VideoReader(tmp_path / "a.mp4")


def test_the_packages_are_not_imported_before_they_are_used() -> None:
    modules = "writing, results, tracking"
    code = f"import sys; from ovdistill.inference.video import {modules}; print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"'av'", "'trackers'", "'supervision'", "'mmdet'"} & {*done.stdout.split(", ")}
