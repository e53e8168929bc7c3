"""Writes frames as an MP4 file, with the sound of another video."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.core.files import atomic_file, clear_errors
from ovdistill.inference.video.reading import VideoError, VideoInfo
from ovdistill.inference.video.sound import Sound

# in order of preference: H.264 plays everywhere, the last one is part of every FFmpeg
CODECS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_nvenc", "mpeg4")
OPTIONS = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "mpeg4": {"q:v": "4"},
}
LEAST_TICKS = 10_000  # a second, in which times are counted
BT709, LIMITED_RANGE = 1, 1  # FFmpeg's numbers of a colour space and of its range


class VideoWriter:
    """An MP4 file that grows frame by frame; it appears under its name when it is finished.

    ``close`` finishes it, also after an error or an interrupt: what was written plays. Without a
    frame there is no file.

    Args:
        path: the file.
        info: rate and time base of the video that the frames are of.
        source: the video whose sound is copied, or None for a silent one.

    Attributes:
        codec: of the frames, such as "libx264".
        notes: lines about what could not be kept.

    Raises:
        UserError: PyAV is not installed, or it has no codec of ``CODECS``.
    """

    def __init__(self, path: Path, info: VideoInfo, source: Path | None = None) -> None:
        self._av = import_extra("av", "video")
        self.path = path
        self.info = info
        self.codec = _first_codec(self._av)
        self.notes: list[str] = []
        if "264" not in self.codec:
            self.notes.append(f"this PyAV has no H.264: {path.name} is written as {self.codec}")
        self._source = source
        self._sound: Sound | None = None
        self._container: Any = None
        self._stream: Any = None
        self._rate = max(info.rate.limit_denominator(1001), Fraction(1, 1001))
        ticks = self._rate.numerator
        self._tick = Fraction(1, ticks * math.ceil(LEAST_TICKS / ticks))  # frames last whole ticks
        self._last = -1  # time of the last frame, in ticks
        self._file = ExitStack()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self.close(complete=error is None)

    def write(self, image: np.ndarray, time: float, pixel_aspect: Fraction = Fraction(1)) -> None:
        """Write a frame; all have the size of the first one.

        Args:
            image: (H, W, 3) uint8 RGB. H.264 has even sizes: the last row or column is repeated.
            time: when it is shown, in seconds.
            pixel_aspect: width of a pixel divided by its height; that of the first frame counts.

        Raises:
            UserError: a frame of another size, or a file that cannot be written to.
            VideoError: frames that the codec does not take.
        """
        image = _even(image)
        height, width = image.shape[:2]
        with self._video_errors(), clear_errors(self.path):
            if self._container is None:
                self._start(width, height, pixel_aspect)
            if (width, height) != (self._stream.width, self._stream.height):
                raise UserError(
                    f"got a frame of {width} x {height} pixels for {self.path}; expected "
                    f"{self._stream.width} x {self._stream.height} as the first one"
                )
            if self._sound is not None:
                self._sound.copy_until(time)
            self._container.mux(self._stream.encode(self._frame(image, time)))

    def close(self, *, complete: bool = True) -> None:
        """Finish the file.

        Args:
            complete: whether all frames were written. Else the sound ends with the last one.
        """
        if self._container is None:
            return
        with self._video_errors(), self._file:
            self._container.mux(self._stream.encode())
            if self._sound is not None:
                end = float(self._last * self._tick + 1 / self._rate)
                self._sound.copy_until(math.inf if complete else end)
        if self._sound is not None and self._sound.problem:
            self.notes.append(self._sound.problem)
        self._container = None

    def _start(self, width: int, height: int, pixel_aspect: Fraction) -> None:
        """Open the file for frames of a size."""
        with ExitStack() as file:  # nothing is left if it fails
            temporary = file.enter_context(atomic_file(self.path))
            container = self._av.open(str(temporary), "w", format="mp4")
            file.enter_context(container)
            self._stream = self._add_stream(container, width, height)
            self._stream.codec_context.sample_aspect_ratio = pixel_aspect
            if self._source is not None:
                self._sound = Sound(self._source, container)
                file.callback(self._sound.close)
            try:
                container.start_encoding()
            except self._av.FFmpegError as error:
                if isinstance(error, OSError):  # of the disk
                    raise
                raise VideoError(
                    f"cannot write {self.path}: {self.codec} takes no frames of {width} x {height} "
                    f"pixels ({error.strerror}); expected smaller ones, or --save json"
                ) from error
            self._file = file.pop_all()
        self._container = container

    def _add_stream(self, container: Any, width: int, height: int) -> Any:
        """Add the stream of the frames to PyAV's container; return it."""
        options = OPTIONS.get(self.codec, {})
        stream = container.add_stream(self.codec, rate=self._rate, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = self._tick  # frames keep their times, whatever the rate
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        return stream

    @contextmanager
    def _video_errors(self) -> Iterator[None]:
        """Turn errors of FFmpeg into ``VideoError``, after which other videos can be written."""
        try:
            yield
        except self._av.FFmpegError as error:
            raise VideoError(f"cannot write {self.path} ({error.strerror})") from error

    def _frame(self, image: np.ndarray, time: float) -> Any:
        """Return PyAV's frame of an image."""
        frame = self._av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED_RANGE
        )
        # the encoder takes no two frames of one time, which damaged videos have
        self._last = max(self._last + 1, round(self._exact(time) / self._tick))
        frame.pts, frame.time_base = self._last, self._tick
        return frame

    def _exact(self, time: float) -> Fraction:
        """Return the time that a file means which rounds its times, as MKV does to milliseconds."""
        regular = round(time * self._rate) / self._rate
        return regular if abs(regular - time) < self.info.time_base else Fraction(time)


def _first_codec(av: Any) -> str:
    """Return the first of ``CODECS`` that this FFmpeg encodes with."""
    for name in CODECS:
        try:
            av.codec.Codec(name, "w")
        except ValueError:  # unknown
            continue
        return name
    raise UserError(f"this PyAV has none of the codecs {', '.join(CODECS)}: install another build")


def _even(image: np.ndarray) -> np.ndarray:
    """Return an image of even height and width: the last row or column is repeated if needed."""
    odd = [(0, side % 2) for side in image.shape[:2]]
    return np.pad(image, [*odd, (0, 0)], mode="edge") if any(odd[0] + odd[1]) else image
