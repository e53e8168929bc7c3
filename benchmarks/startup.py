"""CPU time and memory from the start of a process to its first detections.

    python benchmarks/startup.py --runs 5

Each run is a fresh process with one thread: `ovdistill predict` with its defaults (the shipped
detector on the shipped sample, with a drawing and a JSON file), and the same from Python without
files. Prints medians of CPU seconds and the largest resident memory, up to the first line that the
process prints; the end of a process that has loaded torch takes half a second and 0.1 GB more. Then
the packages that are imported, each after those above it. Needs /proc, so Linux.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option

# ovdistill.models is mmcv, with torchvision's operations in place of its own
PACKAGES = (
    *("numpy", "torch", "torchvision", "open_clip", "ovdistill.models", "mmdet.utils"),
    *("mmdet.models", "ovdistill.inference.detector"),
)
IN_PYTHON = """
from ovdistill import Detector
from ovdistill.core.assets import SAMPLE_IMAGE
print(Detector.from_pretrained("ovshapes", device="cpu").predict(SAMPLE_IMAGE, "green star"))
"""
IMPORTS = """
import importlib, time

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

for package in {packages}:
    start, size = time.process_time(), resident()
    importlib.import_module(package)
    seconds, megabytes = time.process_time() - start, resident() - size
    print(f"  {{package:<30}}{{seconds:6.2f}} s {{megabytes:6.0f}} MB")
"""


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(CommonOptions):
    """Options of this benchmark."""

    runs: int = option(5, help="processes of each kind", least=1)


def main(options: BenchmarkOptions) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "ovdistill", "predict", "--device", "cpu", "-o", folder]
        report("ovdistill predict", command, options.runs)
    report("Detector.predict", ["-c", IN_PYTHON], options.runs)
    print("of which", flush=True)
    code = IMPORTS.format(packages=PACKAGES)
    subprocess.run([sys.executable, "-c", code], env=one_thread(), check=True)


def report(name: str, arguments: list[str], runs: int) -> None:
    found = [first_line(arguments) for _ in range(runs)]
    seconds, megabytes = (statistics.median(values) for values in zip(*found, strict=True))
    print(f"{name:<18}{seconds:6.2f} s of CPU {megabytes:6.0f} MB", flush=True)


def first_line(arguments: list[str]) -> tuple[float, float]:
    """Return the CPU seconds and the megabytes that a process has used at its first line."""
    command = [sys.executable, "-u", *arguments]
    with subprocess.Popen(command, env=one_thread(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit(f"{' '.join(command)} printed nothing")
        folder = Path("/proc", str(process.pid))
        # behind the name of the program, which may hold anything: see proc(5)
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        peak = (folder / "status").read_text().partition("VmHWM:")[2].split()[0]
        process.communicate()
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak) * 1024 / 1e6


def one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    run_options(main)
