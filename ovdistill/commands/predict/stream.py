"""Writes the results of images one after another as they are found, and says what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from ovdistill.core.images import ImageError
from ovdistill.core.text import printable
from ovdistill.inference.detections import Detections
from ovdistill.inference.run_ahead import run_ahead
from ovdistill.inference.segmentation_result import SegmentationResult
from ovdistill.inference.sources import ImageSource

Result = TypeVar("Result", Detections, SegmentationResult)


def write_stream(
    stream: Iterator[tuple[ImageSource, Result | ImageError]],
    names: Sequence[str],
    folder: Path,
    *,
    ahead: int,
    write: Callable[[Result, str], Sequence[Path]],
    close: Callable[[], Iterable[Path]],
    describe: Callable[[Result], str],
) -> list[str]:
    """Write the results of images, and print a line for each and one for each file of all images.

    The next images are looked at in a thread while the results of one are drawn and written.

    Args:
        stream: the images in their order, each with its result or with what is wrong with it.
        names: of the results of each image, without a suffix.
        folder: of the results.
        ahead: how many images may be looked at before their results are written.
        write: writes the result of an image under a name; returns the paths of its files.
        close: writes the files about all images; returns their paths. It is also called after an
            error or Ctrl-C, so that what was found before is kept.
        describe: returns what was found in an image.

    Returns:
        What is wrong with each image that could not be read.
    """
    bad: list[str] = []
    disable = None if len(names) > 1 else True  # None: on a terminal only
    with closing(run_ahead(stream, ahead)) as results:
        try:
            with tqdm(total=len(names), unit="image", disable=disable) as bar:
                for (source, found), name in zip(results, names, strict=True):
                    bar.update()
                    if isinstance(found, ImageError):
                        bad.append(str(found))
                        continue
                    paths = write(replace(found, path=source.name), name)
                    bar.write(f"{printable(Path(source.name).name)}: {describe(found)}")
                    if paths:
                        shown = ", ".join(printable(path.relative_to(folder)) for path in paths)
                        bar.write(f"    -> {printable(folder)}: {shown}")
        finally:
            for path in close():
                print(f"wrote {printable(path)}")
    return bad
