"""Kill trainings and extractions at random moments, and compare what they end with.

    python benchmarks/kills.py [--train 100 --writes 30 --extract 50 --iterations 20]

Draws a small OVShapes, trains once and extracts once without interruption, and then does both again
with SIGKILL after a random time, each time from where it was. Kills in the middle of a checkpoint's
write wait for its temporary file. Exit code 1 if weights or shards differ by a single bit, if the
checkpoint that is noted as the last cannot be read after a kill, or if something is left behind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ovdistill.commands.main import run, run_options
from ovdistill.commands.options import CommonOptions, option
from ovdistill.core.checkpoints import last_checkpoint, read_checkpoint, read_weights
from ovdistill.core.files import hash_file
from ovdistill.core.logs import progress

RECIPE = "vild_r18_shapes"
POLL = 0.001  # seconds between two looks for a temporary file


@dataclass(frozen=True, kw_only=True)
class KillOptions(CommonOptions):
    """Options of this benchmark."""

    train: int = option(100, help="kills of trainings at any moment")
    writes: int = option(30, help="kills of trainings in the middle of a checkpoint's write")
    extract: int = option(50, help="kills of extractions")
    iterations: int = option(20, help="iterations of a training, each with a checkpoint")
    seed: int = option(0, help="seed of the moments")


def main(options: KillOptions) -> int:
    """Kill, compare and print; return the exit code."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a forked process cannot use a GPU
    torch.set_num_threads(1)  # nor threads of its parent
    import ovdistill.extraction.prepare
    import ovdistill.training.register  # noqa: F401

    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        finish(
            work, "make-ovshapes", "--root", work / "data", "--train", 24, "--val", 2, "--test", 2
        )
        count = options.iterations
        finish(work, *train(work, "whole", count))
        reference = read_weights(work / "whole" / f"iter_{count}.pth")
        bad = 0
        for kind, kills in (("at any moment", options.train), ("in a write", options.writes)):
            found = Found()
            for _ in progress(range(kills), title=f"kills {kind}", unit="kill"):
                kill_training(work, count, chance, found, in_write=kind == "in a write")
            while not (work / "parts" / f"iter_{count}.pth").exists():
                attempt(work, train(work, "parts", count), 3600.0)
            found.compare(work / "parts", count, reference)
            print(f"trainings killed {kind}: {found}")
            bad += found.bad
        shards, left = kill_extractions(work, options.extract, chance)
        print(f"extractions killed: {options.extract}, other shards: {shards}, left behind: {left}")
    return int(bad + shards + left > 0)


@dataclass
class Found:
    """What the kills of trainings have led to.

    Attributes:
        kills: number of kills.
        runs: number of runs that came to their end.
        difference: the largest difference of a weight.
        unreadable: how often the last checkpoint could not be read.
        left: number of temporary files that runs have left behind.
    """

    kills: int = 0
    runs: int = 0
    difference: float = 0.0
    unreadable: int = 0
    left: int = 0

    @property
    def bad(self) -> int:
        """A number above 0 if anything was lost."""
        return int(self.difference > 0) + self.unreadable + self.left

    def compare(self, folder: Path, count: int, reference: dict[str, torch.Tensor]) -> None:
        """Compare a finished run with the uninterrupted one, and delete its folder."""
        weights = read_weights(folder / f"iter_{count}.pth")
        for name, value in reference.items():
            if value.numel():
                gap = (value.double() - weights[name].double()).abs().max().item()
                self.difference = max(self.difference, gap)
        self.left += len(list(folder.glob("*.tmp")))
        self.runs += 1
        shutil.rmtree(folder)


def kill_training(
    work: Path, count: int, chance: random.Random, found: Found, *, in_write: bool
) -> None:
    """Kill one training, which goes on from where the former one was."""
    folder = work / "parts"

    def is_writing() -> bool:
        return any(folder.glob("iter_*.tmp"))

    while True:
        last = folder / f"iter_{count}.pth"
        if last.exists():
            found.compare(folder, count, read_weights(work / "whole" / last.name))
        moment = chance.uniform(0, 0.3) if in_write else chance.uniform(0, 8)
        wait = is_writing if in_write else None
        if attempt(work, train(work, "parts", count), moment, wait):
            break
    found.kills += 1
    if (folder / "last_checkpoint").exists():
        try:
            read_checkpoint(last_checkpoint(folder))
        except Exception as error:  # whatever it is, something was lost
            print(f"after kill {found.kills}: {error}")
            found.unreadable += 1


def kill_extractions(work: Path, kills: int, chance: random.Random) -> tuple[int, int]:
    """Kill extractions; return how many shards differ, and how many files were left behind."""
    finish(work, *extract(work, "store_whole"))
    different = left = done = 0
    bar = progress(range(kills), title="kills of extractions", unit="kill")
    while done < kills:
        if attempt(work, extract(work, "store_parts"), chance.uniform(0, 4)):
            done += 1
            bar.update()
            if done < kills:
                continue
            finish(work, *extract(work, "store_parts"))
        for shard in (work / "store_whole").iterdir():
            other = work / "store_parts" / shard.name
            different += not other.is_file() or hash_file(shard) != hash_file(other)
        left += len(list((work / "store_parts").glob("*.tmp")))
        shutil.rmtree(work / "store_parts")
    return different, left


def train(work: Path, name: str, count: int) -> list[object]:
    """Return the words of a training."""
    options = (
        f"data_root={work / 'data'} train_dataloader.batch_size=2 train_cfg.max_iters={count} "
        "train_cfg.val_interval=100000 default_hooks.checkpoint.interval=1 "
        "prepare.regions.per_image=4"
    )
    folder = work / name
    return ["train", RECIPE, "--resume", "--work-dir", folder, "--cfg-options", *options.split()]


def extract(work: Path, name: str) -> list[object]:
    """Return the words of an extraction."""
    words = "--shard-images 2 --per-image 10 --workers 0 --device cpu --cfg-options"
    folder = work / name
    return [
        "extract",
        "--config",
        RECIPE,
        "-o",
        folder,
        *words.split(),
        f"data_root={work / 'data'}",
    ]


def attempt(
    work: Path,
    words: Sequence[object],
    seconds: float,
    wait: Callable[[], bool] | None = None,
) -> bool:
    """Run a command in a process of its own; return True if it was killed before its end.

    Args:
        work: its output goes to the file ``log`` there.
        words: of the command.
        seconds: time until the kill, counted from when ``wait`` is first true.
        wait: what to wait for, or None.
    """
    sys.stdout.flush()
    process = os.fork()
    if not process:
        command(work / "log", words)
    deadline = None if wait else time.monotonic() + seconds
    while True:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            if status:
                raise SystemExit(f"{words} ended with {status}:\n{(work / 'log').read_text()}")
            return False
        if deadline is None and wait and wait():
            deadline = time.monotonic() + seconds
        if deadline is not None and time.monotonic() >= deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return True
        time.sleep(POLL)


def finish(work: Path, *words: object) -> None:
    """Run a command to its end."""
    if attempt(work, words, 3600.0):
        raise SystemExit(f"{words} takes more than an hour")


def command(log: Path, words: Sequence[object]) -> None:
    """Run a command in this process, with its output in a file, and exit."""
    code = 1
    try:
        number = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(number, 1)
        os.dup2(number, 2)
        code = run([str(word) for word in words]) or 0
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    run_options(main)
