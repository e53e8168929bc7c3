"""Running a tool as a user does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def heed_ctrl_c() -> None:
    """Let a process that is about to start end on Ctrl-C; for ``preexec_fn``.

    What a shell starts in the background ignores it, and so do the tests that run there.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(*command: object, code: int = 0) -> str:
    """Run a tool from the root of the repository; return all it printed.

    Args:
        command: the script and its arguments.
        code: the expected exit code.
    """
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )
    output = done.stdout + done.stderr
    assert done.returncode == code, output[-3000:]
    return output
