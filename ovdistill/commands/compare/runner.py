"""Runs the commands of a comparison, several at a time, each with a log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

LONGEST_ERROR = 5000  # characters of a command's error that are shown


class CommandRunner:
    """Runs commands as processes, and ends them all where one thread is interrupted.

    Args:
        jobs: how many run at a time; each has its share of the cores.
    """

    def __init__(self, jobs: int) -> None:
        threads = max(1, (os.cpu_count() or 1) // jobs)
        self._jobs = jobs
        self._environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    @contextmanager
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """Provide threads that run commands; where the block ends early, as on Ctrl-C, so do they.

        Yields:
            A pool of ``jobs`` threads. No further command begins after an early end.
        """
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                yield pool
            except BaseException:
                self._stopped = True
                pool.shutdown(wait=False, cancel_futures=True)
                for process in [*self._running]:
                    process.terminate()
                raise

    def run(self, command: Sequence[str], log: Path) -> tuple[str | None, float]:
        """Run a command; return what went wrong, or None, and its peak memory in MiB.

        Args:
            command: the program and its arguments.
            log: the file to which the command and its output are appended.
        """
        if self._stopped:
            return "stopped", 0.0
        with open(log, "a") as file:
            print(" ".join(command), file=file, flush=True)
            start = file.tell()
            process = subprocess.Popen(command, stdout=file, stderr=file, env=self._environment)
            self._running.add(process)
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:  # Ctrl-C, where this is the main thread
                process.terminate()
                raise
            finally:
                self._running.discard(process)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes or in KiB
        failure = f"exit code {code}, see {log}{_last_error(log, start)}" if code else None
        return failure, usage.ru_maxrss / unit


def _last_error(log: Path, start: int) -> str:
    """Return the error with which a command has ended a log, behind ': '; empty if with none.

    Args:
        log: the file.
        start: where the command began in it, in bytes; before are those of earlier attempts.
    """
    written = log.read_bytes()[start:].decode(errors="replace")
    _, mark, message = ("\n" + written).rpartition("\nerror: ")
    return f": {message.strip()[:LONGEST_ERROR]}" if mark else ""
