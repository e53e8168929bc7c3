"""Train and test methods on the embedded benchmark, and set them side by side.

    ovdistill compare --split shape --seeds 3 -o work_dirs/compare
    ovdistill compare --rows text vild my_rows.py -o work_dirs/mine

After an interruption, the same command continues: a row and seed that has a metrics.json is done,
and so are those of an earlier comparison.json that --known names. Every run updates
comparison.json, comparison.md and comparison.png. --rows selects rows, also rows of your own Python
files (docs/own_term.md). --jobs makes several runs at a time, each with its share of the cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

from ovdistill.commands.options import ConfigOptions, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.evaluation.comparison import Runs, collect, read_runs, write_comparison
from ovdistill.evaluation.comparison_rows import HARD, ROWS, Row, pick_rows

LONGEST_ERROR = 5000  # characters of a run's error that are shown


@dataclass(frozen=True, kw_only=True)
class CompareOptions(ConfigOptions):
    """Options of ``ovdistill compare``."""

    benchmark: Literal["shapes"] = option("shapes", help="data to train and test on")
    split: Literal["shape", "compositional"] = option(
        "shape", help="which classes are novel: whole shapes, or combinations"
    )
    geometry: Literal["clip", "plain", "hard"] = option(
        "clip",
        help="of the teacher's embeddings: with CLIP's gap between images and texts, or plain; "
        "hard is a weak teacher with that gap, and regions that mostly hold no object",
    )
    seeds: int = option(3, help="runs of a row, with the seeds 0, 1, ...", least=1)
    rows: tuple[str, ...] = option(
        (),
        metavar="ROW",
        completer=lambda prefix, **_: [row.name for row in ROWS if row.name.startswith(prefix)],
        help=f"Python files with rows, or names of: {', '.join(row.name for row in ROWS)}",
    )
    data_root: str = option(
        "data/ovshapes", help="folder of the data; made if missing", metavar="DIR"
    )
    subset: Literal["val", "test"] = option(
        "test", old_flags=["--pictures"], help="images to test on"
    )
    jobs: int = option(1, help="runs at a time", least=1)
    known: str | None = option(
        None, metavar="FILE", help="a comparison.json, whose runs are taken over into the table"
    )
    report: bool = flag(help="train nothing, only write the table of what is there")
    out: str = option(
        flags=["-o"], help="folder of all runs and of the results", metavar="DIR", writes="folder"
    )


def compare(options: CompareOptions) -> None:
    """Make the runs that are not done yet, and write the table.

    Raises:
        UserError: an unknown row, a preparation that fails, or runs that failed.
    """
    comparison = Comparison(options, pick_rows(options.rows, options.geometry))
    failures = [] if options.report else comparison.run_all()
    comparison.report()
    print((comparison.out / "comparison.md").read_text())
    if failures:
        raise UserError("some runs failed:\n  " + "\n  ".join(failures))


class Comparison:
    """The runs of a table: makes them in folders of ``--out``, and writes the table.

    Args:
        options: of the command.
        rows: the rows to run.

    Raises:
        UserError: see ``read_runs``.
    """

    def __init__(self, options: CompareOptions, rows: Sequence[Row]) -> None:
        self.options, self.rows = options, rows
        self.out = Path(options.out, options.split, options.geometry)
        self.known: Runs = {}
        if options.known:
            self.known = read_runs(options.known, options.split, options.subset, options.geometry)
        threads = max(1, (os.cpu_count() or 1) // options.jobs)
        self.environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
        self.writing = Lock()
        self.running: set[subprocess.Popen[bytes]] = set()
        self.stopped = False

    def report(self) -> None:
        """Write the table of what is there."""
        with self.writing:
            found = collect(self.out, self.options.subset, self.table_rows(), self.known)
            write_comparison(
                self.out,
                found,
                self.table_rows(),
                self.options.split,
                self.options.subset,
                self.options.geometry,
            )

    def table_rows(self) -> list[Row]:
        """Return the rows of the table: the shipped ones, and those of the user to run."""
        own = [row for row in self.rows if row not in ROWS]
        return [*ROWS, *own]

    def is_done(self, row: Row, seed: int) -> bool:
        """Return True if there is a result already, in ``--out`` or in ``--known``."""
        if any(run["seed"] == seed for run in self.known.get(row.name, ())):
            return True
        return (self.folder(row.name, seed) / self.options.subset / "metrics.json").is_file()

    def folder(self, row: str, seed: int) -> Path:
        """Return the work dir of a run."""
        return self.out / row / f"seed{seed}"

    def checkpoint(self, row: str, seed: int) -> Path:
        """Return the checkpoint that a run leaves."""
        return self.folder(row, seed) / "last.pth"

    def tasks(self) -> list[tuple[Row, int]]:
        """Return every row with every seed."""
        return [(row, seed) for seed in range(self.options.seeds) for row in self.rows]

    def open_tasks(self) -> list[tuple[Row, int]]:
        """Return the runs to make: those without a result, and those whose checkpoint these need.

        The result of a run may be known while its checkpoint is on another machine.
        """
        wanted = [task for task in self.tasks() if not self.is_done(*task)]
        by_name = {row.name: row for row in (*self.table_rows(), *self.rows)}
        needed = [
            (by_name[row.builds_on], seed)
            for row, seed in wanted
            if row.builds_on and not self.checkpoint(row.builds_on, seed).is_file()
        ]
        return [*dict.fromkeys(needed + wanted)]

    def run_all(self) -> list[str]:
        """Run every row and seed that is not done; return a line for each failure."""
        open_tasks = self.open_tasks()
        for row, seed in self.tasks():
            if (row, seed) not in open_tasks:
                print(f"{row.name}, seed {seed}: done before", flush=True)
        for row in {row.config: row for row, _ in open_tasks}.values():
            self.prepare(row)
        failures: list[str] = []

        def work(task: tuple[Row, int]) -> None:
            failure = self.run(*task)
            print(failure or f"{task[0].name}, seed {task[1]}: done", flush=True)
            if failure:
                failures.append(failure)
            self.report()

        # rows that others build on come first
        for builds_on in (False, True):
            part = [task for task in open_tasks if bool(task[0].builds_on) == builds_on]
            with ThreadPoolExecutor(self.options.jobs) as pool, self.stopped_with(pool):
                list(pool.map(work, part))
        return failures

    @contextmanager
    def stopped_with(self, pool: ThreadPoolExecutor) -> Iterator[None]:
        """End the runs of a pool, and begin none, when the block ends early, as on Ctrl-C."""
        try:
            yield
        except BaseException:
            self.stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            for process in [*self.running]:
                process.terminate()
            raise

    def prepare(self, row: Row) -> None:
        """Make what the trainings of a row share: data, vocabulary, proposals, regions, captions.

        Raises:
            UserError: the preparation fails.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        command = [*_command("prepare", row), "--cfg-options", *self._options(row)]
        if row.starts_from:  # whose weights come with its training
            command += row.before
        failure = self._run(command, self.out / "prepare.txt")[0]
        if failure:
            raise UserError(f"preparing {row.name}: {failure}")

    def run(self, row: Row, seed: int) -> str | None:
        """Train and test a row with a seed; return what went wrong, or None."""
        folder = self.folder(row.name, seed)
        folder.mkdir(parents=True, exist_ok=True)
        options = [*self._options(row), "train_cfg.val_begin=1000000000"]  # tested below
        if row.starts_from:
            options.append(f"{row.starts_as}={self.checkpoint(row.starts_from, seed)}")
        if not row.trained_as:
            command = [*_command("train", row), "--seed", str(seed), "--work-dir", str(folder)]
            command += ["--resume", "--cfg-options", *options]
            failure, memory = self._run(command, folder / "log.txt")
            if failure:
                return f"{row.name}, seed {seed}: {failure}"
            write_json(folder / "cost.json", {"memory": memory})
        # rows may share a training and differ only in how they are tested
        weights = self.checkpoint(row.trained_as or row.name, seed)
        command = [*_command("test", row), str(weights), "--subset", self.options.subset]
        command += ["-o", str(folder / self.options.subset), *row.test_flags]
        failure, _ = self._run([*command, "--cfg-options", *options], folder / "log.txt")
        return f"{row.name}, seed {seed}: {failure}" if failure else None

    def _options(self, row: Row) -> list[str]:
        options = self.options
        own = [f"split={options.split}", f"data_root={options.data_root}"]
        own += HARD if options.geometry == "hard" else [f"geometry={options.geometry}"]
        own += [*options.cfg_options, *row.options]
        return own + [*row.plain] if options.geometry == "plain" else own

    def _run(self, command: list[str], log: Path) -> tuple[str | None, float]:
        """Run a command; return what went wrong, or None, and its peak memory in MiB."""
        if self.stopped:
            return "stopped", 0.0
        with open(log, "a") as file:
            print(" ".join(command), file=file, flush=True)
            process = subprocess.Popen(command, stdout=file, stderr=file, env=self.environment)
            self.running.add(process)
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:  # Ctrl-C, where this is the main thread
                process.terminate()
                raise
            finally:
                self.running.discard(process)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes or in KiB
        failure = f"exit code {code}, see {log}{_last_error(log)}" if code else None
        return failure, usage.ru_maxrss / unit


def _last_error(log: Path) -> str:
    """Return the error with which a command has ended a log, behind ': '; empty if with none."""
    _, mark, message = ("\n" + log.read_text(errors="replace")).rpartition("\nerror: ")
    return f": {message.strip()[:LONGEST_ERROR]}" if mark else ""


def _command(name: str, row: Row) -> list[str]:
    """Return the start of a command line."""
    return [sys.executable, "-m", "ovdistill", name, row.config]
