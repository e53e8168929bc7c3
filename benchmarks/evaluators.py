"""Evaluators against the references, on random cases, and their speed on a large one.

    python benchmarks/evaluators.py --cases 10000 --images 1000

hotcoco, with which the package evaluates, and ultrafast-pycocotools, which shares no code with it,
against pycocotools and lvis-api. Each case is a few images, classes, objects and detections of one
protocol and one metric; compared is every value of precision and recall. Prints the number of cases
that differ by more than 1e-9, the largest difference, and the CPU seconds of each evaluator on
boxes in the LVIS protocol: 1203 classes, 12 objects and 300 detections in each image. Exits with 1
if anything differs. Needs the extra `test`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option

sys.path.insert(0, str(Path(__file__).parents[1]))  # the root of the repository, for `benchmarks`
TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(CommonOptions):
    """Options of this benchmark."""

    cases: int = option(10_000, help="random cases", least=0)
    first: int = option(0, help="number of the first case", least=0)
    images: int = option(1000, help="images of the large case; 0 leaves it out", least=0)


def main(options: BenchmarkOptions) -> int:
    """Compare and print."""
    wrong = compare(range(options.first, options.first + options.cases)) if options.cases else 0
    if options.images:
        wrong += measure(options.images)
    return int(wrong > 0)


def compare(seeds: range) -> int:
    """Print how each evaluator compares with the reference; return how many cases differ."""
    from benchmarks.parity.cases import random_case
    from benchmarks.parity.compare import FAST, differences

    kinds: Counter[str] = Counter()
    largest = dict.fromkeys(FAST, 0.0)
    wrong: dict[str, list[int]] = {name: [] for name in FAST}
    for seed in seeds:
        case = random_case(seed)
        kinds[f"{case.protocol} {case.metric}"] += 1
        for name, value in differences(case).items():
            largest[name] = max(largest[name], value)
            if not value <= TOLERANCE:
                wrong[name].append(seed)
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    print(f"{len(seeds)} cases: {counts}", flush=True)
    for name, found in wrong.items():
        which = f" (the first: {found[:5]})" if found else ""
        print(f"{name:<22}{len(found)} differ{which}, at most by {largest[name]:.1e}", flush=True)
    return sum(map(len, wrong.values()))


def measure(images: int) -> int:
    """Print the CPU seconds of each evaluator on a large case; return how many differ."""
    from benchmarks.parity.cases import large_case
    from benchmarks.parity.compare import FAST, distance, evaluate

    case = large_case(images, classes=1203, objects=12, found=300)
    print(f"{images} images, {len(case.records)} detections", flush=True)
    found = {}
    for name in (*FAST, "reference"):
        start = time.process_time()
        found[name] = evaluate(name, case)
        print(f"{name:<22}{time.process_time() - start:7.1f} s", flush=True)
    return sum(distance(found[name], found["reference"]) > TOLERANCE for name in FAST)


if __name__ == "__main__":
    run_options(main)
