"""Train and test methods on the embedded benchmark, and set them side by side.

    ovdistill compare --split shape --seeds 3 -o work_dirs/compare
    ovdistill compare --rows text vild my_rows.py -o work_dirs/mine

After an interruption, the same command continues: a row and seed that has a metrics.json is done,
and so are those of an earlier comparison.json that --known names. A run in the folder that was made
with other options is an error. Every run updates comparison.json, comparison.md and comparison.png.
--rows selects rows, also rows of your own Python files (docs/own_term.md). --jobs makes several
runs at a time, each with its share of the cores.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

from ovdistill.commands.compare.runner import CommandRunner
from ovdistill.commands.options import ConfigOptions, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.evaluation.comparison import Runs, collect, read_runs, write_comparison
from ovdistill.evaluation.comparison_rows import HARD, ROWS, Row, pick_rows, trained_by
from ovdistill.evaluation.comparison_settings import (
    Settings,
    changed_settings,
    read_settings,
    run_settings,
    write_settings,
)
from ovdistill.evaluation.result_files import read_metrics

LOGGER = logging.getLogger(__name__)


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
        help=f"Python files with rows, or names of: {', '.join(row.name for row in ROWS)} "
        "(default: every shipped row of the geometry, which takes many hours on two cores)",
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
        UserError: an unknown row, runs of other options in the folder, a preparation that fails,
            or runs that failed.
    """
    comparison = Comparison(options, pick_rows(options.rows, options.geometry))
    comparison.warn_of_lost()
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
        self.runner = CommandRunner(options.jobs)
        self.writing = Lock()

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

    def warn_of_lost(self) -> None:
        """Say what an earlier table in the folder has that the one to be written will not have.

        A table of other images, or a damaged one, is replaced as a whole.
        """
        choice = self.options.split, self.options.subset, self.options.geometry
        try:
            earlier = read_runs(self.out / "comparison.json", *choice)
        except UserError:
            return
        found = collect(self.out, self.options.subset, self.table_rows(), self.known)
        kept = {(name, run["seed"]) for name, runs in found.items() for run in runs}
        kept |= {(row.name, seed) for row, seed in ([] if self.options.report else self.tasks())}
        had = [(name, run["seed"]) for name, runs in earlier.items() for run in runs]
        if lost := [name for name, seed in had if (name, seed) not in kept]:
            LOGGER.warning(
                "%s loses %d runs that it had, of %s: name the file of their rows with --rows, and "
                "the comparison.json that they came from with --known, to keep them",
                *(self.out / "comparison.json", len(lost), ", ".join(dict.fromkeys(lost))),
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
        """Return the checkpoint that the training of a row leaves."""
        return self.folder(row, seed) / "last.pth"

    def by_name(self) -> dict[str, Row]:
        """Return the rows that there are."""
        return {row.name: row for row in (*self.table_rows(), *self.rows)}

    def needed(self, row: Row) -> str | None:
        """Return the row whose training gives the checkpoint that a row builds on; None if none."""
        return trained_by(row.builds_on, self.by_name()) if row.builds_on else None

    def depth(self, row: Row) -> int:
        """Return how many trainings must come before a row, one after another."""
        needed = self.by_name().get(self.needed(row) or "")  # one that was given has no row
        return 0 if needed is None else 1 + self.depth(needed)

    def tasks(self) -> list[tuple[Row, int]]:
        """Return every row with every seed."""
        return [(row, seed) for seed in range(self.options.seeds) for row in self.rows]

    def open_tasks(self) -> list[tuple[Row, int]]:
        """Return the runs to make: those without a result, and those whose checkpoint these need.

        What others build on comes first. The result of a run may be known while its checkpoint is
        on another machine.
        """
        found = dict.fromkeys(task for task in self.tasks() if not self.is_done(*task))
        rows = self.by_name()
        for row, seed in [*found]:
            while (name := self.needed(row)) and not self.checkpoint(name, seed).is_file():
                row = rows[name]
                found[row, seed] = None
        return sorted(found, key=lambda task: self.depth(task[0]))

    def run_all(self) -> list[str]:
        """Run every row and seed that is not done; return a line for each failure.

        Raises:
            UserError: a run that is there was made with other options, or a preparation fails.
        """
        open_tasks = self.open_tasks()
        self.check_settings(open_tasks)
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

        for depth in sorted({self.depth(row) for row, _ in open_tasks}):
            part = [task for task in open_tasks if self.depth(task[0]) == depth]
            with self.runner.pool() as pool:
                list(pool.map(work, part))
        return failures

    def check_settings(self, open_tasks: Sequence[tuple[Row, int]]) -> None:
        """Raise UserError for a result or a checkpoint that was made with other options.

        Args:
            open_tasks: the runs to make; those whose checkpoint they need are looked at too.
        """
        rows = self.by_name()
        needed = [(rows.get(self.needed(row) or ""), seed) for row, seed in open_tasks]
        used = [(row, seed) for row, seed in needed if row]
        for row, seed in dict.fromkeys((*self.tasks(), *open_tasks, *used)):
            training = self.folder(row.name, seed)
            test = training / self.options.subset
            there = [(training, False)] if any(training.glob("*.pth")) else []
            there += [(test, True)] if (test / "metrics.json").is_file() else []
            for folder, tested in there:
                before = read_settings(folder)
                if before is None:
                    continue
                if changed := changed_settings(before, self.settings(row), tested=tested):
                    raise UserError(
                        f"{folder} was made with other options ({'; '.join(changed)}); give "
                        "another -o, or delete this folder, so that it is made again."
                    )

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
        rows = self.by_name()
        if row.starts_from:
            start = self.checkpoint(trained_by(row.starts_from, rows), seed)
            options.append(f"{row.starts_as}={start}")
        if not row.trained_as:
            failure = self._train(row, seed, options)
            if failure:
                return f"{row.name}, seed {seed}: {failure}"
        # rows may share a training and differ only in how they are tested
        weights = self.checkpoint(trained_by(row.name, rows), seed)
        command = [*_command("test", row), str(weights), "--subset", self.options.subset]
        command += ["-o", str(folder / self.options.subset), *row.test_flags]
        write_settings(folder / self.options.subset, self.settings(row))
        failure, _ = self._run([*command, "--cfg-options", *options], folder / "log.txt")
        return f"{row.name}, seed {seed}: {failure}" if failure else None

    def _train(self, row: Row, seed: int, options: Sequence[str]) -> str | None:
        """Train a row with a seed, or go on with it; return what went wrong, or None."""
        folder = self.folder(row.name, seed)
        write_settings(folder, self.settings(row))
        command = [*_command("train", row), "--seed", str(seed), "--work-dir", str(folder)]
        command += ["--resume", "--cfg-options", *options]
        failure, memory = self._run(command, folder / "log.txt")
        if failure is None:
            cost = folder / "cost.json"
            before = read_metrics(cost).get("memory", 0.0) if cost.is_file() else 0.0
            write_json(cost, {"memory": max(before, memory)})  # of all attempts that went on
        return failure

    def _run(self, command: list[str], log: Path) -> tuple[str | None, float]:
        """Run a command; return what went wrong, or None, and its peak memory in MiB."""
        return self.runner.run(command, log)

    def settings(self, row: Row) -> Settings:
        """Return what the runs of a row are made with."""
        cfg_options, root = self.options.cfg_options, self.options.data_root
        return run_settings(row, [*self._variant(), *self._own(row)], cfg_options, root)

    def _options(self, row: Row) -> list[str]:
        """Return the overrides of a row's config; of a key the last one counts."""
        root = f"data_root={self.options.data_root}"
        return [*self._variant(), root, *self.options.cfg_options, *self._own(row)]

    def _variant(self) -> list[str]:
        """Return the overrides that say which variant of the benchmark it is."""
        geometry = self.options.geometry
        chosen = HARD if geometry == "hard" else (f"geometry={geometry}",)
        return [f"split={self.options.split}", *chosen]

    def _own(self, row: Row) -> list[str]:
        """Return the overrides of a row."""
        return [*row.options, *(row.plain if self.options.geometry == "plain" else ())]


def _command(name: str, row: Row) -> list[str]:
    """Return the start of a command line."""
    return [sys.executable, "-m", "ovdistill", name, row.config]
