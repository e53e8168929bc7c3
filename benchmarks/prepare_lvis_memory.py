"""Time and memory of `ovdistill prepare-lvis` on a synthetic file of LVIS's size and shape.

    python benchmarks/prepare_lvis_memory.py [--gigabytes 0.1 1]

writes the file to a temporary folder, which takes twice its size, runs the command in a process of
its own and prints seconds and peak resident memory, beside those of the imports alone.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ijson

from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ["-m", "ovdistill", "prepare-lvis"]
# as in LVIS v1 train: annotations of an image, points of a polygon, rare among all categories
PER_IMAGE, POINTS, BASE, RARE = 13, (4, 120), 866, 337
SHAPES = 1000  # different polygons, used in turn


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(CommonOptions):
    """Options of this benchmark."""

    gigabytes: tuple[float, ...] = option((1.0,), help="sizes of the file, in 1e9 bytes")


def main(options: BenchmarkOptions) -> None:
    """Measure and print a line for each size."""
    print(f"ijson backend: {ijson.backend}")
    seconds, peak = run(["-c", "import ovdistill.datasets.official.lvis"])
    print(f"imports alone: {seconds:.0f} s, peak {peak:.0f} MB")
    for gigabytes in options.gigabytes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            train, val = root / "train.json", root / "val.json"
            annotations = write(train, gigabytes * 1e9)
            write(val, 1e6)
            files = ["--train", train.name, "--val", val.name, "-o", folder]
            seconds, peak = run([*COMMAND, folder, *files])
            size = train.stat().st_size / 1e9
            written = (root / "train_base.json").stat().st_size / 1e9
            print(
                f"{size:.2f} GB, {annotations:,} annotations -> {written:.2f} GB: "
                f"{seconds:.0f} s, peak {peak:.0f} MB"
            )


def write(path: Path, size: float) -> int:
    """Write an LVIS-like file of about ``size`` bytes; return its number of annotations."""
    number = 0
    with path.open("w") as file:
        file.write('{"info": {"version": "synthetic"}, "annotations": [')
        for number, annotation in enumerate(random_annotations(), 1):
            file.write(annotation if number == 1 else f", {annotation}")
            if number % PER_IMAGE == 0 and file.tell() > size:
                break
        images = (
            {
                "id": image,
                "height": 480,
                "width": 640,
                "coco_url": f"http://images.cocodataset.org/train2017/{image:012d}.jpg",
                "neg_category_ids": list(range(1, 30)),
                "not_exhaustive_category_ids": [3],
            }
            for image in range(1, number // PER_IMAGE + 1)
        )
        file.write('], "images": [' + ", ".join(map(json.dumps, images)))
        categories = [
            {"id": k, "name": f"name {k}", "frequency": "f" if k <= BASE else "r"}
            for k in range(1, BASE + RARE + 1)
        ]
        file.write(f'], "licenses": [], "categories": {json.dumps(categories)}}}')
    return number


def random_annotations() -> Iterator[str]:
    """Yield annotation records as JSON, without end."""
    rng = random.Random(0)
    shapes = [
        json.dumps([[round(rng.random() * 640, 2) for _ in range(2 * rng.randint(*POINTS))]])
        for _ in range(SHAPES)
    ]
    number = 0
    while True:
        yield (
            f'{{"area": 1234.56, "id": {number + 1}, "segmentation": {shapes[number % SHAPES]}, '
            f'"image_id": {number // PER_IMAGE + 1}, "bbox": [12.34, 56.78, 90.12, 34.56], '
            f'"category_id": {rng.randint(1, BASE + RARE)}}}'
        )
        number += 1


def run(command: list[str]) -> tuple[float, float]:
    """Return the seconds and the peak resident memory in MB (1e6 bytes) of a Python process."""
    start = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return time.perf_counter() - start, usage.ru_maxrss * unit / 1e6


if __name__ == "__main__":
    run_options(main)
