"""Time of an image in `ovdistill predict`, and of what it is made of.

    python benchmarks/predict_speed.py --images FOLDER --count 24

The first images of a folder are read, detected, drawn and written, as the command does it with its
defaults. Prints medians over several rounds, in milliseconds an image: of reading, of detection,
and of drawing and writing, each alone; of their sum; and of the command, which does them side by
side. After one round that is not measured.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

from ovdistill import Detector
from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option
from ovdistill.commands.predict.images import predict_images
from ovdistill.commands.predict.predict import DEFAULT_TEXT
from ovdistill.core.assets import SAMPLES
from ovdistill.inference.detections import Detections
from ovdistill.inference.limits import Limits
from ovdistill.inference.result_files import open_result_files
from ovdistill.inference.sources import find_sources


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(CommonOptions):
    """Options of this benchmark."""

    images: str = option(str(SAMPLES), help="folder of images")
    text: str = option(DEFAULT_TEXT, help="what to look for")
    count: int = option(24, help="images", least=1)
    rounds: int = option(3, help="how often each is predicted", least=1)
    batch_size: int = option(1, help="images in a forward pass", least=1)
    threads: int = option(1, help="CPU threads of torch", least=1)
    device: str | None = option(None, help="cpu, cuda (default: a GPU if there is one)")


def main(options: BenchmarkOptions) -> None:
    """Measure and print."""
    torch.set_num_threads(options.threads)
    detector = Detector.from_pretrained(device=options.device)
    detector.set_vocabulary(options.text)
    rounds = [one_round(detector, options) for _ in range(1 + options.rounds)][1:]
    read, detect, write, command = map(median, zip(*rounds, strict=True))
    print(
        f"read {read:.1f}, detect {detect:.1f}, draw and write {write:.1f}: "
        f"{read + detect + write:.1f} ms; the command {command:.1f} ms an image"
    )


def one_round(detector: Detector, options: BenchmarkOptions) -> tuple[float, float, float, float]:
    """Return the milliseconds an image of reading, detection, writing, and the command."""
    sources, limits = find_sources(options.images)[: options.count], Limits()
    names = [str(number) for number in range(len(sources))]
    images: list[np.ndarray] = []
    found: list[Detections] = []

    def detect() -> None:
        for start in range(0, len(images), options.batch_size):
            batch = images[start : start + options.batch_size]
            found.extend(detector.engine.detect(batch, limits, keep_regions=False))

    def write() -> None:
        for one, image, source, name in zip(found, images, sources, names, strict=True):
            for file in files:
                file.add(replace(one, image=image, path=source.name), name)

    def command() -> None:
        with redirect_stdout(io.StringIO()):
            predict_images(detector, limits, sources, names, files, options.batch_size)

    with tempfile.TemporaryDirectory() as folder:
        files = open_result_files(["image", "json"], Path(folder), {})
        read = timed(lambda: images.extend(source.load() for source in sources))
        times = [read, *map(timed, (detect, write, command))]
    first, second, third, last = (1000 * seconds / len(sources) for seconds in times)
    return first, second, third, last


def timed(run: Callable[[], None]) -> float:
    """Return the seconds that a run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    run_options(main)
