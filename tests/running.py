"""Running a tool as a user does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


def heed_ctrl_c() -> None:
    """Let a process that is about to start end on Ctrl-C; for ``preexec_fn``.

    What a shell starts in the background ignores it, and so do the tests that run there.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@cache
def _server() -> subprocess.Popen[str]:
    """Start the process that all tools are forked from; it ends with this one."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fork_server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def environment(*folders: Path) -> dict[str, str]:
    """Return the environment of a tool: this package, one thread, modules in these folders."""
    path = os.pathsep.join(map(str, (*folders, ROOT)))
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def start(*command: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a Python program in a process of its own.

    Args:
        command: a script and its arguments, or "-m", a module and its arguments.
        folder: the working directory, whose modules are found, too.
    """
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    with tempfile.TemporaryDirectory() as temporary:
        printed = {name: Path(temporary, name) for name in ("stdout", "stderr")}
        words = [*map(str, command)]
        if words[0] != "-m":
            words[0] = str(ROOT / words[0])
        given = dict(words=words, folder=str(folder), environment=environment(folder))
        given |= {name: str(path) for name, path in printed.items()}
        server.stdin.write(json.dumps(given) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        texts = {
            name: path.read_text(encoding="utf-8", errors="replace")
            for name, path in printed.items()
        }
    return subprocess.CompletedProcess(words, code, **texts)


def run(*command: object, code: int = 0, folder: Path = ROOT) -> str:
    """Run a tool; return all it printed.

    Args:
        command: see ``start``.
        code: the expected exit code.
        folder: the working directory.
    """
    done = start(*command, folder=folder)
    output = done.stdout + done.stderr
    assert done.returncode == code, output[-3000:]
    return output
