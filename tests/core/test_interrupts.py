"""Ctrl-C and SIGTERM: one line, the exit code that shells know, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..running import heed_ctrl_c

ROOT = Path(__file__).parents[2]
# what follows runs as a command does; the signal comes when the file "started" is there
PROGRAM = """
import sys, time
from pathlib import Path
from ovdistill.core.errors import run_tool
from ovdistill.core.files import atomic_file
from ovdistill.core.interrupts import INTERRUPTS, held_interrupts
folder = Path(sys.argv[1])
INTERRUPTS.catch()
def started():
    (folder / "started").touch()
    time.sleep(60)
{work}
run_tool(work)
"""
WORK = {
    "waits": "work = started",
    "writes": """
def work():
    with atomic_file(folder / "file") as temporary:
        temporary.write_text("half")
        started()
""",
    "swallows": """
def work():
    try:
        started()
    except BaseException:
        return 0
""",
    "renames": """
def work():
    try:
        started()
    except BaseException as error:
        raise ImportError("numpy cannot be imported") from error
""",
    "exits": """
def work():
    try:
        started()
    finally:
        sys.exit(0)
""",
    "has spawned": """
import multiprocessing
def work():
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    with held_interrupts():
        process.start()
    started()
""",
    "has forked": """
import multiprocessing
def work():
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)).start()
    started()
""",
    "has a deaf child": """
import multiprocessing, signal
def child():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started()
def work():
    multiprocessing.get_context("fork").Process(target=child).start()
    time.sleep(60)
""",
}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command(work: str, number: signal.Signals, tmp_path: Path) -> None:
    program = PROGRAM.replace("{work}", WORK[work])
    process = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_ctrl_c,
        start_new_session=True,  # so that the signal goes to its children too, as from a terminal
    )
    while not (tmp_path / "started").exists() and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, number)
    out, error = process.communicate(timeout=50)
    assert process.returncode == 128 + number
    assert (out, error) == ("", "interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["started"]


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    program = PROGRAM.replace("{work}", "work = started").replace("sleep(60)", "sleep(1)")
    command = f"trap '' INT; exec {sys.executable} -c '{program}' {tmp_path}"
    process = subprocess.Popen(["bash", "-c", command], cwd=ROOT)
    while not (tmp_path / "started").exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
