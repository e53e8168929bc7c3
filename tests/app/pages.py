"""A running `ovdistill app`, and a browser that looks at it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # as without a network
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def running_app(folder: Path, *words: object) -> Iterator[tuple[str, subprocess.Popen]]:
    """Start `ovdistill app` in a folder, with its temporary files there; yield its address."""
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "ovdistill", "app", *map(str, words)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if line.startswith("open "):
            break
    else:
        pytest.fail(f"the app did not start: {seen}")
    try:
        yield line.split()[1], process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def find_browser() -> str:
    """Return the path of a browser, or skip the test."""
    pytest.importorskip("playwright")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or pytest.skip(f"needs a browser: {', '.join(BROWSERS)}")
