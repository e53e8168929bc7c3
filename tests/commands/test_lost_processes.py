"""When a process of a command dies, the others end soon, with one line; ranks start separately."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..running import heed_ctrl_c

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, sys, time
import torch
from mmengine.config import Config
from ovdistill.commands.processes import init_processes, leave_processes
from ovdistill.commands.main import call
from ovdistill.commands.options import CommonOptions
from ovdistill.core.distributed import patient_group
from ovdistill.core.errors import UserError, run_tool
from ovdistill.core.files import atomic_file
from ovdistill.core.interrupts import INTERRUPTS
os.environ["CUDA_VISIBLE_DEVICES"] = ""
INTERRUPTS.catch()
folder, rank = sys.argv[1], int(os.environ["RANK"])
def command(options):
    init_processes(Config(dict(env_cfg={})), "pytorch")
    group = patient_group()
    open(f"{folder}/ready{rank}", "w").close()
    %s
    leave_processes()
run_tool(lambda: call(command, CommonOptions()))
"""
DIES = "os.kill(os.getpid(), 9)"
FAILS = "raise UserError('mine')"
BREAKS = "1 / 0"
SLEEPS = """
    with atomic_file(f"{folder}/file"):
        time.sleep(100)"""
WAITS = "torch.distributed.barrier(group)"
WORKS = "[time.sleep(0.01) for _ in range(10_000)]"


def start(folder: Path, *works: str) -> list[subprocess.Popen[str]]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    place = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE=str(len(works)))
    place |= dict(OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT))
    return [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM % work, folder],
            env=os.environ | place | dict(RANK=str(rank), LOCAL_RANK=str(rank)),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_ctrl_c,
        )
        for rank, work in enumerate(works)
    ]


@pytest.mark.slow  # it takes some seconds to start two processes
@pytest.mark.parametrize(
    ("end", "work", "code"),
    [
        (DIES, SLEEPS, -9),
        (DIES, WAITS, -9),
        (FAILS, WORKS, 2),
        (BREAKS, WAITS, 1),
    ],
)
def test_the_others_end_soon(end: str, work: str, code: int, tmp_path: Path) -> None:
    first, second = start(tmp_path, work, f"time.sleep(1); {end}")
    assert second.wait(60) == code
    begin = time.monotonic()
    _, error = first.communicate(timeout=60)
    assert time.monotonic() - begin < 30
    assert first.returncode == 1
    lines = [line for line in error.splitlines() if "another process" in line]
    assert len(lines) == 1 and "Traceback" not in error
    assert not [path.name for path in tmp_path.iterdir() if not path.name.startswith("ready")]
    second.communicate()


@pytest.mark.slow
def test_processes_that_end_at_different_times_end_in_order(tmp_path: Path) -> None:
    processes = start(tmp_path, "time.sleep(4)", "pass")
    results = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert [code for _, code in results] == [0, 0]
    assert not any("another process" in error or "Traceback" in error for error, _ in results)


@pytest.mark.slow
def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    processes = start(tmp_path, WAITS, SLEEPS)
    while len([*tmp_path.glob("ready*")]) < 2:
        time.sleep(0.1)
    for process in processes:
        process.send_signal(signal.SIGINT)
    assert {process.wait(30) for process in processes} <= {1, 130}
    for process in processes:
        process.communicate()
