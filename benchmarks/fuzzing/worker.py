"""The child of the campaign: reads the inputs of one chunk, and keeps those that go wrong."""

from __future__ import annotations

import faulthandler
import hashlib
import json
import logging
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ovdistill.core.errors import UserError

from .mutate_checkpoints import MARKER
from .reader import Files, Reader, generate, write_files

PACKAGE = f"{os.sep}ovdistill{os.sep}"
LONGEST_MESSAGE = 10_000
RESTART = 75  # exit code of a worker that wants a successor with fresh memory


class State:
    """Numbers that a worker shares with its parent through memory.

    In their order: the input in work; when it was begun, in ns (0: none is in work); how many were
    accepted, refused, and went wrong; ns of the slowest, and which it was.
    """

    FORM = struct.Struct("7q")

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, self.FORM.size)
        self.clear()

    def clear(self) -> None:
        """Set all numbers to 0."""
        self.write(0, 0, 0, 0, 0, 0, -1)

    def write(self, *values: int) -> None:
        """Set the numbers."""
        self.FORM.pack_into(self.memory, 0, *values)

    def read(self) -> tuple[int, ...]:
        """Return the numbers."""
        return self.FORM.unpack_from(self.memory, 0)


@dataclass(frozen=True)
class Fault:
    """Something that went wrong with an input.

    Attributes:
        reader: name of the reader.
        number: of the input.
        title: what went wrong and where; inputs with the same title share a fault.
        detail: the traceback.
    """

    reader: str
    number: int
    title: str
    detail: str

    def keep(self, out: Path, files: Files) -> None:
        """Note the fault, and keep its input if it is the smallest with this title so far."""
        size = sum(map(len, files.values()))
        digest = hashlib.sha256(self.title.encode("utf-8", "replace")).hexdigest()[:8]
        folder = out / f"{self.reader}-{digest}"
        line = dict(reader=self.reader, number=self.number, title=self.title, bytes=size)
        with open(out / "faults.jsonl", "a") as file:
            file.write(json.dumps({**line, "folder": folder.name}) + "\n")
        kept = folder / "fault.json"
        if kept.is_file() and json.loads(kept.read_text())["bytes"] <= size:
            return
        shutil.rmtree(folder, ignore_errors=True)
        write_files(folder / "input", files)
        (folder / "traceback.txt").write_text(f"{self.title}\n\n{self.detail}", errors="replace")
        kept.write_text(json.dumps(line))


@dataclass(frozen=True)
class Chunk:
    """Inputs of one reader that a worker reads.

    Attributes:
        reader: the reader.
        seeds: its seeds.
        seed: of the campaign.
        start: number of the first input.
        end: number behind the last.
    """

    reader: Reader
    seeds: Sequence[Files]
    seed: int
    start: int
    end: int

    def files(self, number: int) -> Files:
        """Return an input of the chunk."""
        return generate(self.reader, self.seeds, self.seed, number)


def work(chunk: Chunk, state: State, folder: Path, out: Path) -> int:
    """Read the inputs of a chunk; return the exit code of the process.

    Args:
        chunk: the inputs.
        state: tells the parent how far this process is.
        folder: the working folder of this process, empty.
        out: where faults are kept.
    """
    _make_quiet(folder)
    os.chdir(folder)
    limit_memory(chunk.reader.memory)
    reader, first_peak = chunk.reader, _peak()
    accepted = refused = faults = slowest = 0
    slowest_number = -1
    if chunk.start == 0:
        faults += check_seeds(chunk, folder, out)
    for number in range(chunk.start, chunk.end):
        begun = time.monotonic_ns()
        state.write(number, begun, accepted, refused, faults, slowest, slowest_number)
        files = chunk.files(number)
        nanoseconds, result = try_input(reader, number, files, folder / str(number))
        grown = _peak() - first_peak
        if grown > reader.memory:
            detail = f"{grown / 2**30:.1f} GiB"
            result = Fault(reader.name, number, "more memory than allowed", detail)
        if isinstance(result, Fault):
            result.keep(out, files)
            faults += 1
        accepted += result is None
        refused += isinstance(result, UserError)
        if nanoseconds > slowest:
            slowest, slowest_number = nanoseconds, number
        state.write(number, 0, accepted, refused, faults, slowest, slowest_number)
        if grown > reader.memory:  # the peak of a process never goes down
            return RESTART
    return 0


def check_seeds(chunk: Chunk, folder: Path, out: Path) -> int:
    """Return how many seeds are not accepted; all that is made from such a one would be refused."""
    faults = 0
    for number, files in enumerate(chunk.seeds):
        _, result = try_input(chunk.reader, 0, files, folder / "seed")
        if result is not None:
            detail = result.detail if isinstance(result, Fault) else str(result)
            Fault(chunk.reader.name, -1, f"seed {number} is not accepted", detail).keep(out, files)
            faults += 1
    return faults


def try_input(
    reader: Reader, number: int, files: Files, folder: Path
) -> tuple[int, Fault | UserError | None]:
    """Read one input.

    Args:
        reader: the reader.
        number: of the input.
        files: the input.
        folder: is made for it, and removed.

    Returns:
        Nanoseconds of reading; None if it was accepted, the error that refuses it, or the fault.
    """
    write_files(folder, files)
    random.seed(number)
    np.random.seed(number % 2**32)  # mmdet's transforms draw from it
    result: Fault | UserError | None = None
    begun = time.monotonic_ns()
    try:
        reader.read(folder)
    except UserError as error:
        result = error
        if len(str(error)) > LONGEST_MESSAGE:
            title = f"{place_of(error)}: a message of over {LONGEST_MESSAGE} characters"
            result = Fault(reader.name, number, title, str(error)[:LONGEST_MESSAGE])
    except BaseException as error:  # whatever it is: it is no error of ours
        title = f"{place_of(error)}: {type(error).__name__}"
        result = Fault(reader.name, number, title, traceback.format_exc())
    nanoseconds = time.monotonic_ns() - begun
    if os.path.exists(MARKER):
        os.unlink(MARKER)
        result = Fault(reader.name, number, "code of the input was run", "")
    shutil.rmtree(folder, ignore_errors=True)
    return nanoseconds, result


def place_of(error: BaseException) -> str:
    """Return the last place of the package that an error went through, else where it began."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if PACKAGE in frame.filename]
    frame = (own or frames)[-1]
    file = frame.filename.rpartition(PACKAGE)[2] if own else Path(frame.filename).name
    return f"{file}:{frame.lineno} {frame.name}"


def limit_memory(size: int) -> None:
    """Let allocations fail that go beyond what the process has by this many bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return  # not Linux: the peak is looked at after each input all the same
    held = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (held * 1024 + size, resource.RLIM_INFINITY))


def _peak() -> int:
    """Return the largest number of resident bytes that this process has had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _make_quiet(folder: Path) -> None:
    """Send what readers print to nowhere, and what crashes say to a file beside the folder."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    trace = open(trace_path(folder), "w")  # open as long as the process
    faulthandler.enable(trace)
    faulthandler.register(signal.SIGUSR1, trace)


def trace_path(folder: Path) -> Path:
    """Return the file to which a worker's crash writes where it was."""
    return folder.with_name(f"{folder.name}.trace")
