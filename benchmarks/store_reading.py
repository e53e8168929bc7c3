"""Time to read the regions of an image from a store, as a data loader's worker does.

    python benchmarks/store_reading.py [--images 2000 --regions 300 --embed-dim 512 --step 0.2]

Writes a store of random embeddings to a temporary folder, opens it, reads every image once in
random order to warm the page cache, then times a second pass.
"""

from __future__ import annotations

import pickle
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import normalize

from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option
from ovdistill.store import Regions, TeacherStore, write_store


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(CommonOptions):
    """Options of this benchmark."""

    images: int = option(2000, help="images of the store")
    regions: int = option(300, help="regions of an image")
    embed_dim: int = option(512, old_flags=["--width"], help="width of the embeddings")
    batch: int = option(8, help="images in a training step, to compare with")
    step: float = option(0.2, help="seconds of a training step, to compare with")


def main(args: BenchmarkOptions) -> None:
    """Measure and print."""
    embeddings = normalize(torch.randn(args.regions, args.embed_dim), dim=1)
    regions = Regions(torch.rand(args.regions, 4), torch.rand(args.regions), embeddings)
    with tempfile.TemporaryDirectory() as folder:
        records = ((number, regions) for number in range(args.images))
        path = write_store(Path(folder, "store"), records, {"teacher": "benchmark"})
        size = sum(file.stat().st_size for file in path.iterdir())
        start = time.perf_counter()
        store = pickle.loads(pickle.dumps(TeacherStore(path)))  # as it goes to a worker
        opened = time.perf_counter() - start
        order = torch.randperm(args.images).tolist()
        for image_id in order:
            store[image_id]
        seconds = []
        for image_id in reversed(order):
            start = time.perf_counter()
            store[image_id]
            seconds.append(time.perf_counter() - start)
    count = args.images * args.regions
    print(f"{args.images} images, {size / 2**20:.0f} MB, {size / count:.0f} bytes a region")
    print(f"opening: {1e3 * opened:.0f} ms")
    median, worst = statistics.median(seconds), sorted(seconds)[int(0.99 * len(seconds))]
    print(f"reading an image, warm: median {1e6 * median:.0f} us, 99 % within {1e6 * worst:.0f} us")
    share = args.batch * statistics.mean(seconds) / args.step
    print(f"{args.batch} images in a step of {args.step} s: {100 * share:.2f} %")


if __name__ == "__main__":
    run_options(main)
