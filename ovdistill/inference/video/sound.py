"""Copies the sound of a video into another one, without encoding it again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ovdistill.core.extras import import_extra
from ovdistill.core.text import printable
from ovdistill.inference.video.reading import open_container, start_of

# what FFmpeg copies into MP4 files so that players find it; PCM is not among them
CODECS = ("aac", "mp3", "ac3", "eac3", "alac", "flac", "opus", "vorbis")


class Sound:
    """The sound of a video, on its way into a container that is being written.

    It opens the video a second time, so that frames may be read ahead of the sound.

    Args:
        source: the video.
        target: PyAV's container; nothing was written into it before.

    Attributes:
        problem: why there is no sound, a phrase; empty if it is copied, or if there is none.
    """

    def __init__(self, source: Path, target: Any) -> None:
        self._av = import_extra("av", "video")
        self._source = open_container(source)
        self._start = start_of(self._source)
        self._target = target
        self._next: Any = None  # a packet that is later than what was asked for
        self.problem = ""
        self._packets: Iterator[Any] = iter(())
        if not self._source.streams.audio:
            return
        stream = self._source.streams.audio[0]
        codec = stream.codec.canonical_name if stream.codec_context else "unknown codec"
        if codec not in CODECS:
            self.problem = (
                f"the sound of {printable(source.name)} is left out: MP4 holds no {codec}"
            )
            return
        if reason := _refusal(self._av, stream):
            self.problem = (
                f"the sound of {printable(source.name)} is left out: MP4 takes no {codec} of "
                f"{stream.codec_context.sample_rate} Hz ({reason})"
            )
            return
        self._copy = target.add_stream_from_template(stream)
        self._packets = self._source.demux(stream)

    def copy_until(self, time: float) -> None:
        """Copy what is heard before a time, in seconds."""
        while (packet := self._next or self._read()) is not None:
            self._next = packet
            late = round(self._start / packet.time_base)
            if (packet.dts - late) * packet.time_base > time:
                return
            packet.dts, packet.pts = packet.dts - late, packet.pts - late
            packet.stream = self._copy
            self._next = None
            try:
                self._target.mux(packet)
            except self._av.ArgumentError as error:  # times that run backwards
                self._end(error)

    def close(self) -> None:
        """Close the video."""
        self._source.close()

    def _read(self) -> Any:
        """Return the next packet, None at the end or where the file is damaged."""
        try:
            return next(filter(_has_time, self._packets), None)
        except (self._av.FFmpegError, OSError) as error:
            self._end(error)
            return None

    def _end(self, error: Exception) -> None:
        """Note that the rest of the sound is damaged, and leave it out."""
        self.problem = f"the sound is cut short ({error})"
        self._packets = iter(())


def _refusal(av: Any, stream: Any) -> str:
    """Return why MP4 takes no copy of a sound; empty if it does."""
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()  # writes the header, which names the sound
    except av.FFmpegError as error:
        return error.strerror
    return ""


def _has_time(packet: Any) -> bool:
    """Return False for the packet without content that marks the end, and for damaged ones."""
    return packet.dts is not None and packet.pts is not None
