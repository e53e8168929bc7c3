"""The parent of the campaign: hands out chunks, and notices workers that die or do not end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from ovdistill.core.logs import progress

from .reader import Reader
from .worker import PACKAGE, RESTART, Chunk, Fault, State, trace_path, work

SECONDS = 10.0  # an input may take
CHUNK = 2000  # inputs between two forks
POLL = 0.02  # seconds between two looks at the workers


@dataclass
class Count:
    """What became of the inputs of a reader.

    Attributes:
        accepted: the reader gave a result.
        refused: it raised ``UserError``.
        faults: anything else.
        seconds: of all inputs, with making and writing them.
        slowest: seconds of the slowest reading.
        slowest_number: that input.
    """

    accepted: int = 0
    refused: int = 0
    faults: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_number: int = -1

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.accepted + self.refused + self.faults


@dataclass
class Campaign:
    """A run over some readers.

    Attributes:
        readers: the readers.
        inputs: number of inputs of each.
        seed: makes the inputs; the same seed makes the same ones.
        processes: workers at a time.
        out: folder for the inputs that went wrong.
        counts: what became of the inputs, by reader.
    """

    readers: Sequence[Reader]
    inputs: int
    seed: int
    processes: int
    out: Path
    counts: dict[str, Count] = field(default_factory=dict)

    def run(self) -> None:
        """Try every input."""
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "faults.jsonl").touch()
        with temporary_folder() as root:
            chunks = deque(self._chunks())
            slots = [Slot(root / f"worker{i}", self) for i in range(self.processes)]
            bar = iter(progress(range(len(chunks)), title="fuzzing", unit="chunk", leave=False))
            try:
                while chunks or any(slot.pid for slot in slots):
                    for slot in slots:
                        if not slot.pid and chunks:
                            next(bar, None)
                            slot.start(chunks.popleft())
                        elif slot.pid and (rest := slot.look()):
                            chunks.appendleft(rest)
                    time.sleep(POLL)
            finally:
                for slot in slots:
                    slot.kill()

    def _chunks(self) -> Iterator[Chunk]:
        for reader in self.readers:
            self.counts[reader.name] = Count()
            seeds = reader.seeds()
            for start in range(0, self.inputs, CHUNK):
                yield Chunk(reader, seeds, self.seed, start, min(start + CHUNK, self.inputs))

    def faults(self) -> list[dict[str, Any]]:
        """Return the smallest input of each fault and the number of all, the most frequent first.

        The keys are those of ``faults.jsonl``, and 'count'.
        """
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for line in (self.out / "faults.jsonl").read_text().splitlines():
            record = json.loads(line)
            found.setdefault((record["reader"], record["title"]), []).append(record)
        return [
            {**min(same, key=lambda record: record["bytes"]), "count": len(same)}
            for same in sorted(found.values(), key=len, reverse=True)
        ]


class Slot:
    """Place of one worker process.

    Args:
        folder: its working folder.
        campaign: the campaign, whose counts it adds to.
    """

    def __init__(self, folder: Path, campaign: Campaign) -> None:
        self.folder, self.campaign = folder, campaign
        self.state = State()
        self.pid = 0
        self.began = 0.0
        self.chunk: Chunk

    def start(self, chunk: Chunk) -> None:
        """Fork a worker for a chunk."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.chunk, self.began = chunk, time.monotonic()
        self.state.clear()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                code = work(chunk, self.state, self.folder, self.campaign.out)
            finally:
                os._exit(code)  # none of the parent's clean-up

    def look(self) -> Chunk | None:
        """Look whether the worker has ended or hangs; return what it has left undone."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.pid = 0
            code = os.waitstatus_to_exitcode(status)
            return self._ended(code, "")
        number, begun, *_ = self.state.read()
        if begun and time.monotonic_ns() - begun > SECONDS * 1e9:
            os.kill(self.pid, signal.SIGUSR1)  # writes where it is
            time.sleep(0.2)
            self.kill()
            return self._ended(-signal.SIGKILL, f"no end within {SECONDS:g} s")
        return None

    def kill(self) -> None:
        """End the worker, if there is one."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0

    def _ended(self, code: int, title: str) -> Chunk | None:
        """Add up what the worker has done; return the chunk of the rest, or None."""
        number, begun, accepted, refused, faults, slowest, slowest_number = self.state.read()
        count = self.campaign.counts[self.chunk.reader.name]
        count.accepted += accepted
        count.refused += refused
        count.faults += faults
        count.seconds += time.monotonic() - self.began
        if slowest / 1e9 > count.slowest:
            count.slowest, count.slowest_number = slowest / 1e9, slowest_number
        if code == 0:
            return None
        if code != RESTART:
            count.faults += 1
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self._keep(number, title or f"the process ended by {name}")
        rest = replace(self.chunk, start=number + 1)
        return rest if rest.start < rest.end else None

    def _keep(self, number: int, title: str) -> None:
        """Keep the input at which a worker died, with the place in the package."""
        detail = trace_path(self.folder).read_text(errors="replace")
        # the last call comes first; those of the fuzzer itself are behind the reader's
        calls = [line.strip() for line in detail.splitlines() if line.startswith("  File ")]
        calls = list(takewhile(lambda call: "/fuzzing/" not in call, calls))
        place = next((call for call in calls if PACKAGE in call), calls[0] if calls else "")
        place = place.rpartition("/")[2].replace('", line ', ":").replace(" in ", " ")
        fault = Fault(self.chunk.reader.name, number, f"{place}: {title}", detail)
        fault.keep(self.campaign.out, self.chunk.files(number))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Provide a folder in memory where there is one (/dev/shm), else on disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="fuzz-", dir=memory if os.access(memory, os.W_OK) else None
    ) as folder:
        yield Path(folder)
