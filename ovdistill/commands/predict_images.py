"""Detects, draws and writes images one after another, for ``ovdistill predict``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from ovdistill.core.images import ImageError
from ovdistill.core.text import printable
from ovdistill.inference.detections import Detections
from ovdistill.inference.detector import Detector
from ovdistill.inference.limits import Limits
from ovdistill.inference.result_files import ResultFile
from ovdistill.inference.run_ahead import run_ahead
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

    The next images are looked at in a thread while the results of one are drawn and written.

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
    bad: list[str] = []
    counts = Counter[str]()
    stream = detector.stream(sources, limits, batch_size)
    several = len(sources) > 1
    disable = None if several else True  # None: on a terminal only
    with closing(run_ahead(stream, batch_size)) as results:
        try:
            with tqdm(total=len(sources), unit="image", disable=disable) as bar:
                for (source, found), name in zip(results, names, strict=True):
                    bar.update()
                    if isinstance(found, ImageError):
                        bad.append(str(found))
                        continue
                    found = replace(found, path=source.name)
                    paths = [path for file in files if (path := file.add(found, name))]
                    counts.update(found.names)
                    bar.write(f"{printable(Path(source.name).name)}: {summary(found)}")
                    if paths:
                        folder = files[0].folder
                        shown = ", ".join(printable(path.relative_to(folder)) for path in paths)
                        bar.write(f"    -> {printable(folder)}: {shown}")
        finally:  # what was found before an error or Ctrl-C is kept
            for path in filter(None, (file.close() for file in files)):
                print(f"wrote {printable(path)}")
    if several:
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
