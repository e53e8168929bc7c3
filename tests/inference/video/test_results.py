"""The files of a video: what is drawn, lines of JSON, and what sums them up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ovdistill.inference.video.frames import SeenFrame
from ovdistill.inference.video.reading import VideoReader
from ovdistill.inference.video.results import VideoResults
from ovdistill.visualization.palette import class_colour

from .clips import found_at, write_clip

pytest.importorskip("av")
BOX = (20.0, 20.0, 60.0, 50.0)


def write(path: Path, folder: Path, *, masks: bool = False, complete: bool = True, **options):
    """Write results in which a star with the number 3 is found in every second frame."""
    mask = np.zeros((1, 64, 96), bool)
    mask[:, 20:50, 20:60] = True
    found = replace(found_at(BOX), track_ids=np.array([3]), masks=mask)
    with VideoReader(path) as reader:
        results = VideoResults(folder / "a", reader.info, path, masks=masks, **options)
        for frame in reader:
            results.add(SeenFrame(frame, found, is_new=frame.index % 2 == 0))
    return results.close({"video": str(path), "queries": ["star"]}, complete=complete)


def test_the_files_of_a_video(tmp_path: Path) -> None:
    origin = {"provenance": {"made": "by a test"}, "warning": "no meaning", "note": "NONE"}
    source = write_clip(tmp_path / "a.mp4")
    paths = write(source, tmp_path / "out", masks=True, origin=origin)
    assert [path.name for path in paths] == ["a.mp4", "a.jsonl", "a.json"]
    lines = [json.loads(line) for line in paths[1].read_text().splitlines()]
    assert [line["frame"] for line in lines] == [*range(0, 20, 2)]
    assert lines[5]["time"] == 0.4
    (star,) = lines[5]["objects"]
    assert (star["name"], star["track"], star["box"]) == ("star", 3, [*BOX])
    assert star["mask"]["size"] == [64, 96]
    summary = json.loads(paths[2].read_text())
    assert (summary["height"], summary["width"], summary["rate"]) == (64, 96, 25)
    assert (summary["frames"], summary["frames_looked_at"]) == (20, 10)
    assert summary["counts"] == {"star": 1} and summary["tracked"]
    assert summary["provenance"] == origin["provenance"] and summary["warning"] == "no meaning"


def test_the_drawing_has_the_size_of_the_frame_and_the_colour_of_the_class(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", [np.full((360, 640, 3), 128, np.uint8)] * 4)
    found = found_at((100, 100, 400, 300))
    with VideoReader(source) as reader:
        results = VideoResults(tmp_path / "out", reader.info, source, ["image"])
        for frame in reader:
            results.add(SeenFrame(frame, found, is_new=frame.index == 0))
    (path,) = results.close({})
    with VideoReader(path) as reader:
        frames = [frame.image.astype(int) for frame in reader]
    assert len(frames) == 4 and frames[0].shape == (360, 640, 3)
    for frame in frames:  # also those that were not looked at
        line = frame[150:250, 98:104].reshape(-1, 3)
        assert np.abs(line - class_colour(0)).max(axis=1).min() < 60
        assert np.abs(frame[200, 200:300] - 128).max() < 10


def test_without_masks_and_without_frames(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4")
    paths = write(source, tmp_path / "json", kinds=["json"])
    assert [path.name for path in paths] == ["a.jsonl", "a.json"]
    assert "mask" not in json.loads(paths[0].read_text().splitlines()[0])["objects"][0]
    with VideoReader(source) as reader:
        assert VideoResults(tmp_path / "none" / "a", reader.info, source).close({}) == []
    assert not (tmp_path / "none").exists()
