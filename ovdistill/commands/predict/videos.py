"""Detects, draws and writes videos and webcams, for ``ovdistill predict``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ovdistill.commands.predict.images import counted
from ovdistill.core.stop_requests import StopRequest, stop_requests
from ovdistill.core.text import printable
from ovdistill.inference.detector import Detector
from ovdistill.inference.limits import Limits
from ovdistill.inference.video.camera import Camera
from ovdistill.inference.video.frames import detect_frames
from ovdistill.inference.video.reading import VideoError, VideoReader
from ovdistill.inference.video.results import VideoResults
from ovdistill.inference.video.tracking import Tracker

if TYPE_CHECKING:
    from ovdistill.commands.predict.predict import PredictOptions


def predict_videos(
    detector: Detector,
    limits: Limits,
    videos: Sequence[Path],
    names: Sequence[str],
    options: PredictOptions,
    origin: Mapping[str, Any],
) -> list[str]:
    """Detect objects in videos, write the results, and print what was found.

    Args:
        detector: whose texts are set.
        limits: which detections to report.
        videos: the files.
        names: of the results of each video, without a suffix.
        options: of the command.
        origin: what made the results, see ``ResultFile``.

    Returns:
        What is wrong with each video that could not be read, or not to its end.

    Raises:
        KeyboardInterrupt: it was interrupted; what was found before is written.
    """
    bad = []
    for video, name in zip(videos, names, strict=True):
        try:
            with VideoReader(video) as reader:
                path = Path(options.out, name)
                results = VideoResults(
                    path, reader.info, video, options.save, masks=options.masks, origin=origin
                )
                stop = _run(detector, limits, reader, results, options, str(video))
        except VideoError as error:
            bad.append(str(error))
            continue
        if reader.damage:
            bad.append(f"{video}: {reader.damage}; {results.frames} frames were kept")
        stop.repeat()
    return bad


def predict_webcam(
    detector: Detector, limits: Limits, options: PredictOptions, origin: Mapping[str, Any]
) -> list[str]:
    """Detect objects in the frames of a webcam until Ctrl-C; see ``predict_videos``.

    Raises:
        UserError: there is no such camera.
    """
    name = options.webcam_name
    with Camera(options.webcam or 0) as camera:
        print(f"camera {camera.number}: Ctrl-C ends it")
        results = VideoResults(
            Path(options.out, name),
            camera.info,
            None,
            options.save,
            masks=options.masks,
            origin=origin,
        )
        _run(detector, limits, camera, results, options, name)
    return [camera.damage] if camera.damage else []


def _run(
    detector: Detector,
    limits: Limits,
    frames: VideoReader | Camera,
    results: VideoResults,
    options: PredictOptions,
    source: str,
) -> StopRequest:
    """Detect objects in frames and write them, up to the end or to Ctrl-C.

    Returns:
        Whether it was interrupted.
    """
    rate = float(frames.info.rate) / options.every
    tracker = Tracker(rate, limits.lowest) if options.track else None
    detect = partial(detector.engine.detect, limits=limits, keep_regions=False)
    every, batch_size = options.every, options.batch_size
    summary = {"video": source, "queries": list(detector.queries), "every": every}
    complete = False
    try:
        with (
            stop_requests() as stop,
            tqdm(total=frames.info.frames, unit="frame", disable=None) as bar,
        ):
            for seen in detect_frames(
                frames, detect, every=every, batch_size=batch_size, tracker=tracker
            ):
                results.add(seen)
                bar.update()
                if stop:
                    summary["interrupted"] = True
                    break
        complete = not (stop or frames.damage)
    finally:
        if frames.damage:
            summary["damage"] = frames.damage
        paths = results.close(summary, complete=complete)
        _print_results(results, paths, source, detector.queries)
    return stop


def _print_results(
    results: VideoResults, paths: Sequence[Path], source: str, queries: Sequence[str]
) -> None:
    """Print the counts by name, the files, and what could not be kept."""
    if not paths:
        return
    kind = "objects" if results.counter.is_tracked else "detections"
    shown = counted(results.counter.counts, queries)
    name = printable(Path(source).name)
    print(f"{name}: {results.seen} of {results.frames} frames looked at; {kind}: {shown}")
    files = ", ".join(printable(path.name) for path in paths)
    print(f"    -> {printable(paths[0].parent)}: {files}")
    for note in results.notes:
        print(f"    {note}")
