"""Trains and tests every method on the embedded benchmark, and sets them side by side.

    python tools/compare_methods.py --benchmark shapes --split shape --seeds 3 -o work_dirs/compare

A run that is cut off goes on where it was: a row and seed with a metrics.json is done, and so are
those of an earlier comparison.json that --known names. Writes comparison.json, comparison.md and
comparison.png after every run. --rows picks rows, --jobs runs several at a time (each with its
share of the cores), --report only writes what is there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from ovdistill.comparison import ROWS, Row, collect, read_runs, write_comparison
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
    parser.add_argument(
        "--known",
        metavar="FILE",
        help="a comparison.json whose runs stand in the table as they are",
    )
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


class Comparison:
    """Runs rows of the table in folders of ``--out``, and writes the table.

    Args:
        args: of the command line.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.out = Path(args.out, args.split)
        self.known = read_runs(args.known, args.split, args.pictures) if args.known else {}
        threads = max(1, (os.cpu_count() or 1) // args.jobs)
        self.environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
        self.writing = Lock()

    def report(self) -> None:
        """Writes the table of what is there."""
        with self.writing:
            found = collect(self.out, self.args.pictures, self.known)
            write_comparison(self.out, found, self.args.split, self.args.pictures)

    def is_done(self, row: Row, seed: int) -> bool:
        """Whether there is a result already, here or in ``--known``."""
        if any(run["seed"] == seed for run in self.known.get(row.name, ())):
            return True
        return (self.folder(row.name, seed) / self.args.pictures / "metrics.json").is_file()

    def folder(self, row: str, seed: int) -> Path:
        """The work dir of a run."""
        return self.out / row / f"seed{seed}"

    def prepare(self, row: Row) -> None:
        """Makes what trainings of a row share: data, words, proposal network, regions, captions.

        Raises:
            UserError: the preparation fails.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        command = [*_tool("train", row), "--prepare-only", "--cfg-options", *self._options(row)]
        failure = self._run(command, self.out / "prepare.txt")[0]
        if failure:
            raise UserError(f"preparing {row.name}: {failure}")

    def run(self, row: Row, seed: int) -> str | None:
        """Trains and tests a row with a seed; returns what went wrong, if anything."""
        folder = self.folder(row.name, seed)
        folder.mkdir(parents=True, exist_ok=True)
        options = [*self._options(row), "train_cfg.val_begin=1000000000"]  # tested below
        if row.starts_from:
            options.append(f"load_from={self.folder(row.starts_from, seed) / 'last.pth'}")
        if not row.trained_as:
            command = [*_tool("train", row), "--seed", str(seed), "--work-dir", str(folder)]
            command += ["--resume", "--cfg-options", *options]
            failure, memory = self._run(command, folder / "log.txt")
            if failure:
                return f"{row.name}, seed {seed}: {failure}"
            write_json(folder / "cost.json", {"memory": memory})
        # a row may share its training with another, and differ in how it is tested
        weights = self.folder(row.trained_as or row.name, seed) / "last.pth"
        command = [*_tool("test", row), str(weights), "--split", self.args.pictures]
        command += ["-o", str(folder / self.args.pictures), *row.test_flags]
        failure, _ = self._run([*command, "--cfg-options", *options], folder / "log.txt")
        return f"{row.name}, seed {seed}: {failure}" if failure else None

    def _options(self, row: Row) -> list[str]:
        args = self.args
        own = [f"split={args.split}", f"data_root={args.data_root}"]
        return [*own, *args.cfg_options, *row.options]

    def _run(self, command: list[str], log: Path) -> tuple[str | None, float]:
        """Runs a command; returns what went wrong and its peak memory in MiB."""
        with open(log, "a") as file:
            print(" ".join(command), file=file, flush=True)
            process = subprocess.Popen(command, stdout=file, stderr=file, env=self.environment)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes or in KiB
        return (f"exit code {code}, see {log}" if code else None), usage.ru_maxrss / unit


def _tool(name: str, row: Row) -> list[str]:
    """The start of a command line."""
    return [sys.executable, str(ROOT / f"tools/{name}.py"), str(ROOT / f"configs/{row.config}.py")]


def main() -> None:
    args = parse_args()
    if args.seeds < 1 or args.jobs < 1:
        raise UserError(
            f"got --seeds {args.seeds} --jobs {args.jobs}; expected at least 1 of each."
        )
    rows = pick(args.rows)
    comparison = Comparison(args)
    failures = []

    def work(task: tuple[Row, int]) -> None:
        failure = comparison.run(*task)
        print(failure or f"{task[0].name}, seed {task[1]}: done", flush=True)
        if failure:
            failures.append(failure)
        comparison.report()

    if not args.report:
        tasks = [(row, seed) for seed in range(args.seeds) for row in rows]
        open_tasks = [task for task in tasks if not comparison.is_done(*task)]
        for row, seed in tasks:
            if (row, seed) not in open_tasks:
                print(f"{row.name}, seed {seed}: done before", flush=True)
        for row in {row.config: row for row, _ in open_tasks}.values():
            comparison.prepare(row)
        # what other rows build on comes before them
        for builds_on in (False, True):
            part = [task for task in open_tasks if task[0].builds_on_another == builds_on]
            with ThreadPoolExecutor(args.jobs) as pool:
                list(pool.map(work, part))
    comparison.report()
    print((comparison.out / "comparison.md").read_text())
    if failures:
        raise UserError("some runs failed:\n  " + "\n  ".join(failures))


if __name__ == "__main__":
    run_tool(main)
