"""Run commands one after another: python run_steps.py COMMANDS.json RESULTS.json

Each runs in a process of its own, as from a shell, but forked from this one, which has imported
what takes time. Commands begin with "ovdistill" or "python".
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import sys
import tempfile
import time
from pathlib import Path

import torch

import ovdistill.inference.detector
import ovdistill.models.register  # noqa: F401
from ovdistill.__main__ import main

TIMEOUT = 120  # seconds


def work(words: list[str], output: str) -> None:
    """Run a command; what it prints goes to a file."""
    with open(output, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    program, *words = words
    if program == "ovdistill":
        sys.argv = ["ovdistill", *words]
        main()
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def run(words: list[str]) -> dict[str, object]:
    """Return exit code, output and seconds of a command."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        output.touch()
        start = time.monotonic()
        process = multiprocessing.get_context("fork").Process(target=work, args=(words, output))
        process.start()
        process.join(TIMEOUT)
        if process.is_alive():
            process.kill()
            process.join()
        text = output.read_text(encoding="utf-8", errors="replace")
        return dict(code=process.exitcode, output=text, seconds=time.monotonic() - start)


if __name__ == "__main__":
    torch.set_num_threads(1)  # threads do not survive a fork
    commands, results = map(Path, sys.argv[1:])
    found = [run(words) for words in json.loads(commands.read_text())]
    results.write_text(json.dumps(found))
