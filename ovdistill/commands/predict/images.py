"""Detects, draws and writes images one after another, for ``ovdistill predict``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ovdistill.commands.predict.stream import write_stream
from ovdistill.core.text import printable
from ovdistill.inference.detections import Detections
from ovdistill.inference.detector import Detector
from ovdistill.inference.limits import Limits
from ovdistill.inference.result_files import ResultFile
from ovdistill.inference.sources import ImageSource


def predict_images(
    detector: Detector,
    limits: Limits,
    sources: Sequence[ImageSource],
    names: Sequence[str],
    files: Sequence[ResultFile],
    batch_size: int,
) -> list[str]:
    """Detect objects in images, write the results, and print what was found.

    Args:
        detector: whose texts are set.
        limits: which detections to report.
        sources: the images.
        names: of the results of each image, without a suffix.
        files: the forms of the results.
        batch_size: images in a forward pass.

    Returns:
        What is wrong with each image that could not be read.
    """
    counts = Counter[str]()

    def write(found: Detections, name: str) -> list[Path]:
        counts.update(found.names)
        return [path for file in files if (path := file.add(found, name))]

    bad = write_stream(
        detector.stream(sources, limits, batch_size),
        names,
        files[0].folder if files else Path(),
        ahead=batch_size,
        write=write,
        close=lambda: filter(None, (file.close() for file in files)),
        describe=summary,
    )
    if len(sources) > 1:
        print(f"in {len(sources) - len(bad)} images: {counted(counts, detector.queries)}")
    return bad


def counted(counts: Counter[str], queries: Sequence[str]) -> str:
    """Return how many objects of each name were found, most first."""
    found = [f"{count} {printable(name)}" for name, count in counts.most_common()]
    missing = len(set(queries) - set(counts))
    rest = f"; {missing} names were not found" if missing else ""
    return (", ".join(found) or "nothing") + rest


def summary(detections: Detections) -> str:
    """Return the first three names with their scores, and how many more there are."""
    best = [
        f"{printable(name)} {score:.2f}"
        for name, score in zip(detections.names[:3], detections.scores, strict=False)
    ]
    more = len(detections) - len(best)
    if best:
        return ", ".join(best) + (f" and {more} more" if more else "")
    if detections.nearest is None:
        return "nothing"
    name, score = detections.nearest
    return f"nothing; nearest: {printable(name)} ({score:.2g})"
