"""Trains and tests every method on the embedded benchmark, and sets them side by side.

    python tools/compare_methods.py --benchmark shapes --split shape --seeds 3 -o work_dirs/compare

A run that is cut off goes on where it was: a row and seed with a metrics.json is done. Writes
comparison.json, comparison.md and comparison.png after every run. --rows picks rows, --jobs runs
several at a time (each with one thread), --report only draws what is there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ovdistill.comparison import ROWS, Row, collect, write_comparison
from ovdistill.errors import UserError, run_tool
from ovdistill.evaluation.report import write_json

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--benchmark", choices=["shapes"], default="shapes")
    parser.add_argument("--split", choices=["shape", "compositional"], default="shape")
    parser.add_argument("--seeds", type=int, default=3, help="runs a row, of seeds 0, 1, ...")
    parser.add_argument("--rows", nargs="+", help=f"of: {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--data-root", default="data/ovshapes")
    parser.add_argument("--pictures", choices=["val", "test"], default="test", help="to test on")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--report", action="store_true", help="only write what is there")
    parser.add_argument("--cfg-options", nargs="+", default=[], help="overrides in every row")
    parser.add_argument("-o", "--out", required=True, help="folder of all runs and of the result")
    return parser.parse_args()


def pick(names: list[str] | None) -> list[Row]:
    """The rows of these names, in the order of the table."""
    unknown = set(names or ()) - {row.name for row in ROWS}
    if unknown:
        raise UserError(
            f"got row {sorted(unknown)[0]!r}; expected of: {', '.join(row.name for row in ROWS)}."
        )
    return [row for row in ROWS if not names or row.name in names]


def run(row: Row, seed: int, args: argparse.Namespace, threads: int) -> str | None:
    """Trains and tests a row with a seed; returns what went wrong, if anything."""
    folder = Path(args.out, args.split, row.name, f"seed{seed}")
    if (folder / args.pictures / "metrics.json").is_file():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    options = [
        f"split={args.split}",
        f"data_root={args.data_root}",
        *args.cfg_options,
        *row.options,
    ]
    if row.starts_from:
        initial = Path(args.out, args.split, row.starts_from, f"seed{seed}", "last.pth")
        options.append(f"load_from={initial}")
    config = str(ROOT / "configs" / f"{row.config}.py")
    # a row may share its training with another, and differ in how it is tested
    trained = Path(args.out, args.split, row.trained_as or row.name, f"seed{seed}")
    python = [sys.executable]
    commands = []
    if not row.trained_as:
        commands.append(
            [*python, str(ROOT / "tools/train.py"), config, "--seed", str(seed)]
            + ["--work-dir", str(folder), "--resume", "--cfg-options", *options]
        )
    commands.append(
        [*python, str(ROOT / "tools/test.py"), config, str(trained / "last.pth")]
        + ["--split", args.pictures, "-o", str(folder / args.pictures), *row.test_flags]
        + ["--cfg-options", *options]
    )
    environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
    with open(folder / "log.txt", "a") as log:
        for command in commands:
            print(" ".join(command), file=log, flush=True)
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            if code:
                return f"{row.name}, seed {seed}: exit code {code}, see {log.name}"
            if "--seed" in command:  # of a training; ru_maxrss is in KiB, on macOS in bytes
                unit = 2**20 if sys.platform == "darwin" else 2**10
                write_json(folder / "cost.json", {"memory": usage.ru_maxrss / unit})
    return None


def main() -> None:
    args = parse_args()
    if args.seeds < 1 or args.jobs < 1:
        raise UserError(
            f"got --seeds {args.seeds} --jobs {args.jobs}; expected at least 1 of each."
        )
    rows = pick(args.rows)
    out = Path(args.out, args.split)
    failures = []
    if not args.report:
        threads = max(1, (os.cpu_count() or 1) // args.jobs)
        first = [row for row in rows if not (row.trained_as or row.starts_from)]

        def work(task: tuple[Row, int]) -> None:
            failure = run(*task, args, threads)
            print(failure or f"{task[0].name}, seed {task[1]}: done", flush=True)
            if failure:
                failures.append(failure)

        # what other rows build on comes before them
        for part in (first, [row for row in rows if row not in first]):
            tasks = [(row, seed) for seed in range(args.seeds) for row in part]
            # alone, the first run makes data, words, proposals and regions for all
            for task in tasks[:1]:
                work(task)
            with ThreadPoolExecutor(args.jobs) as pool:
                list(pool.map(work, tasks[1:]))
    write_comparison(out, collect(out, args.pictures), args.split, args.pictures)
    print((out / "comparison.md").read_text())
    if failures:
        raise UserError("some runs failed:\n  " + "\n  ".join(failures))


if __name__ == "__main__":
    run_tool(main)
