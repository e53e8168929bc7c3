"""Reads the frames of a video file with PyAV, upright and with their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.core.text import printable

# FFmpeg has formats that name other files or addresses, such as playlists: they are not opened.
FORMATS = "mov,matroska,avi,gif,mpeg,mpegts,mpegvideo,asf,flv,ogg,wtv,mxf,h264,hevc,ivf"
ALLOWED = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
EXPECTED = "expected an undamaged video of a common format (MP4, MOV, AVI, MKV, WebM, GIF)"
USUAL_RATE = Fraction(25)  # frames a second, where a file says nothing
END_MISSING = 0.1  # seconds: a video that ends so much before its stated end is damaged
LONGEST_GAP = 86_400.0  # seconds between two frames
MICROSECONDS = 1_000_000  # in which containers count
DURATION = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
MAX_PIXELS = 100_000_000  # of a frame: 12K passes
LARGEST_RATE = 1000  # frames a second; files that state more state nonsense


class VideoError(UserError):
    """Error for a video that is missing, damaged or empty.

    Args:
        path: the file.
        problem: what is wrong with it; without it, ``path`` is the whole message.
    """

    def __init__(self, path: str | Path, problem: str = "") -> None:
        # torch makes a worker's error again from its message alone
        super().__init__(
            f"cannot read the video {printable(path)}: {problem}" if problem else str(path)
        )


@dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
        index: counts the frames from 0 on.
        time: when it is shown, in seconds.
        image: (H, W, 3) uint8 RGB, upright.
        pixel_aspect: width of a pixel of the image divided by its height.
    """

    index: int
    time: float
    image: np.ndarray
    pixel_aspect: Fraction = Fraction(1)


@dataclass(frozen=True)
class VideoInfo:
    """What a video is like.

    Attributes:
        rate: frames a second, on average.
        frames: how many there are, as far as the file says it; else None.
        time_base: the unit of its times, in seconds.
    """

    rate: Fraction
    frames: int | None
    time_base: Fraction


class VideoReader:
    """The frames of a video file.

    Examples:
        >>> with VideoReader(Path("street.mp4")) as reader:
        ...     for frame in reader:
        ...         print(frame.index, frame.time, frame.image.shape)

    Args:
        path: the file.

    Attributes:
        info: what the file says of itself.
        damage: what could not be read, a phrase; empty for a sound video. Known at the end.

    Raises:
        UserError: PyAV is not installed.
        VideoError: the file cannot be opened, or has no video.
    """

    def __init__(self, path: Path) -> None:
        self._av = import_extra("av", "video")
        self.path = path
        self.damage = ""
        self._container = open_container(path)
        if not self._container.streams.video:
            self.close()
            raise VideoError(path, "there are no images in it, or its list of them is cut off")
        self._stream = self._container.streams.video[0]
        context = self._stream.codec_context
        if context is None:
            self.close()
            raise VideoError(path, f"its codec is unknown; {EXPECTED}")
        if context.width * context.height > MAX_PIXELS:
            self.close()
            raise VideoError(path, f"got {context.width} x {context.height} pixels; {EXPECTED}")
        self._stream.thread_type = "AUTO"
        self._start = float(start_of(self._container))
        self.info = self._read_info()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; damaged parts are left out and counted in ``damage``.

        Raises:
            VideoError: there is no frame that can be read.
        """
        index, end, corrupt = 0, 0.0, 0
        time: float | None = None
        shape: tuple[int, ...] = ()
        for decoded, image in self._decode():
            shape = shape or image.shape
            if image.shape != shape:
                height, width = image.shape[:2]
                self.damage = f"frame {index} has another size, {width} x {height}"
                break
            time = self._time(decoded, time)
            yield Frame(index, time, image, self._pixel_aspect(decoded))
            index, end = index + 1, time + self._length(decoded)
            corrupt += decoded.is_corrupt
        if not index:
            raise VideoError(self.path, self.damage or "there is no frame in it")
        self._note_damage(index, end, corrupt)

    def _time(self, decoded: Any, last: float | None) -> float:
        """Return when a frame is shown, in seconds; a time that makes no sense is replaced.

        Args:
            decoded: PyAV's frame.
            last: the time of the frame before it, None for the first one.
        """
        earliest = 0.0 if last is None else last
        if decoded.time is not None:
            time = float(decoded.time) - self._start
            if earliest <= time < earliest + LONGEST_GAP:
                return time
        return earliest if last is None else last + float(1 / self.info.rate)

    def _pixel_aspect(self, decoded: Any) -> Fraction:
        """Return width by height of a pixel of a frame, as it is upright."""
        aspect = Fraction(self._stream.sample_aspect_ratio or 1)
        return 1 / aspect if _quarters(decoded) % 2 else aspect

    def _length(self, decoded: Any) -> float:
        """Return how long a frame is shown, in seconds."""
        if not decoded.duration or decoded.time_base is None:
            return float(1 / self.info.rate)
        return float(decoded.duration * decoded.time_base)

    def _decode(self) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield PyAV's frames and their images; packets that cannot be decoded are skipped."""
        broken = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except (self._av.FFmpegError, OSError) as error:  # the rest cannot be found
                self.damage = f"reading stops ({_reason(error)})"
                break
            try:
                for decoded in packet.decode():
                    yield decoded, _upright(decoded)
            except self._av.EOFError:
                break
            except (self._av.FFmpegError, ValueError):
                broken += 1
        if broken:
            self.damage = self.damage or f"{broken} damaged parts were skipped"

    def _note_damage(self, frames: int, end: float, corrupt: int) -> None:
        if not self.damage and corrupt:
            self.damage = f"{corrupt} frames are damaged"
        stated = self._stated_end()
        if stated is not None and end < stated - max(END_MISSING, 2 / float(self.info.rate)):
            cut = f"it ends after {end:.1f} of {stated:.1f} seconds ({frames} frames)"
            self.damage = f"{cut}; {self.damage}" if self.damage else cut

    def _stated_end(self) -> float | None:
        """Return when the last frame ends, as the file says it, in seconds."""
        stream, container = self._stream, self._container
        start = float((stream.start_time or 0) * stream.time_base) - self._start
        if stream.duration is not None:
            return start + float(stream.duration * stream.time_base)
        if tag := DURATION.fullmatch(stream.metadata.get("DURATION", "")):  # of MKV and WebM
            hours, minutes, seconds = map(float, tag.groups())
            return 3600 * hours + 60 * minutes + seconds - self._start
        # sound may be longer than the video, and formats count from different starts
        if container.duration is not None and len(container.streams) == 1 and not self._start:
            return container.duration / MICROSECONDS
        return None

    def _read_info(self) -> VideoInfo:
        stream = self._stream
        rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
        if not 0 < rate <= LARGEST_RATE:
            rate = USUAL_RATE
        duration = self._stated_end()
        frames = stream.frames or (round(duration * rate) if duration else None)
        return VideoInfo(rate, frames, stream.time_base or 1 / rate)


def open_container(path: Path) -> Any:
    """Open a video with PyAV.

    Raises:
        VideoError: there is no such file, it is empty, or it is no video.
    """
    av = import_extra("av", "video")
    if not path.is_file():
        raise VideoError(path, "there is no such file")
    if not path.stat().st_size:
        raise VideoError(path, "the file is empty")
    try:
        return av.open(str(path.absolute()), options=ALLOWED, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(path, f"{_reason(error)}; {EXPECTED}") from error


def start_of(container: Any) -> Fraction:
    """Return when the first image or sound comes, in seconds: from there on players count."""
    return Fraction(max(0, container.start_time or 0), MICROSECONDS)


def _upright(decoded: Any) -> np.ndarray:
    """Return a frame as (H, W, 3) uint8 RGB, turned as the file says."""
    image = decoded.to_ndarray(format="rgb24")
    quarters = _quarters(decoded)
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


def _quarters(decoded: Any) -> int:
    """Return by how many quarters, counterclockwise, a frame has to be turned to be upright."""
    return round(decoded.rotation / 90) % 4


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
