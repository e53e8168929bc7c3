"""Writes what was found in a video, frame by frame: the drawn video, lines of JSON, a summary."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from ovdistill.core.files import atomic_file, write_json
from ovdistill.inference.formats.json_records import records
from ovdistill.inference.video.counting import ObjectCounter
from ovdistill.inference.video.frames import SeenFrame
from ovdistill.inference.video.reading import VideoInfo
from ovdistill.inference.video.writing import VideoWriter
from ovdistill.visualization.frames import FrameDrawer


class VideoResults:
    """The result files of one video.

    - NAME.mp4: the frames with what was found in them, and the sound of the video.
    - NAME.jsonl: a line for each frame that was looked at, with ``frame``, ``time`` (seconds) and
      ``objects``, see ``json_records.records``.
    - NAME.json: what the video is, what was looked for, how many objects there are.

    Args:
        path: the files without their suffixes.
        info: of the video.
        source: the video whose sound is copied, or None.
        kinds: "image" for the drawn video, "json" for the others.
        masks: write the masks of the objects too.
        origin: what made the results, as ``ResultFile`` takes it.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        source: Path | None,
        kinds: Collection[str] = ("image", "json"),
        *,
        masks: bool = False,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.info = info
        self.kinds = kinds
        self.masks = masks
        self.origin = origin or {}
        self.counter = ObjectCounter()
        self.frames = self.seen = 0
        self._size = (0, 0)  # height and width
        self._drawer = FrameDrawer(self.origin.get("note", ""))
        self._video = VideoWriter(self._named(".mp4"), info, source) if "image" in kinds else None
        self._lines: TextIO | None = None
        self._files = ExitStack()

    def _named(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def add(self, seen: SeenFrame) -> None:
        """Write a frame.

        Raises:
            UserError: see ``VideoWriter.write``.
        """
        frame, found = seen.frame, seen.detections
        self._size = (frame.image.shape[0], frame.image.shape[1])
        if self._video is not None:
            numbers = () if found.track_ids is None else found.track_ids.tolist()
            drawn = self._drawer.draw(frame.image, found, numbers)
            self._video.write(drawn, frame.time, frame.pixel_aspect)
        self.frames += 1  # a frame that cannot be written is no result
        if seen.is_new:
            self.seen += 1
            self.counter.add(found)
            self._write_line(seen)

    def close(self, summary: Mapping[str, Any], *, complete: bool = True) -> list[Path]:
        """Finish the files, also those of a video that was interrupted.

        Args:
            summary: further values for NAME.json.
            complete: whether all frames of the video were added.

        Returns:
            The files; none if there was no frame.
        """
        with self._files:
            if self._video is not None:
                self._video.close(complete=complete)
        if not self.frames:
            return []
        if "json" not in self.kinds:
            return [self._named(".mp4")]
        height, width = self._size
        content = {
            **summary,
            "height": height,
            "width": width,
            "rate": round(float(self.info.rate), 3),
            "frames": self.frames,
            "frames_looked_at": self.seen,
            "tracked": self.counter.is_tracked,
            "counts": dict(self.counter.counts),
            "notes": self.notes,
            "provenance": self.origin.get("provenance"),
        }
        if warning := self.origin.get("warning"):
            content["warning"] = warning
        write_json(self._named(".json"), content)
        suffixes = (".mp4", ".jsonl", ".json") if self._video else (".jsonl", ".json")
        return [self._named(suffix) for suffix in suffixes]

    @property
    def notes(self) -> list[str]:
        """Lines about what could not be kept, all of them when the files are finished."""
        return [] if self._video is None else self._video.notes

    def _write_line(self, seen: SeenFrame) -> None:
        if "json" not in self.kinds:
            return
        if self._lines is None:
            temporary = self._files.enter_context(atomic_file(self._named(".jsonl")))
            self._lines = self._files.enter_context(open(temporary, "w", encoding="utf-8"))
        line = {
            "frame": seen.frame.index,
            "time": round(seen.frame.time, 4),
            "objects": records(seen.detections, masks=self.masks),
        }
        self._lines.write(json.dumps(line, allow_nan=False) + "\n")
