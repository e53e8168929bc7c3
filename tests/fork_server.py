"""Run Python programs, each in a process that is forked from this one.

A program starts in the time of a fork, since this process has imported the libraries that take
seconds. Of ovdistill it has only what they need, so that a command still has to import, and to
register, what it uses. ``running.py`` starts it and speaks with it: a JSON object a line, with the
words of a command line, the folder, the environment and the files of what it prints; the answer is
the exit code.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import runpy
import sys

from ovdistill.core import mmcv_ops

ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # libraries print while they are imported
mmcv_ops.install()

import mmdet.apis  # noqa: E402
import mmdet.datasets.transforms  # noqa: E402
import mmdet.evaluation  # noqa: E402
import mmdet.models  # noqa: E402, F401
import numpy as np  # noqa: E402
import open_clip  # noqa: E402, F401
import torch.utils.tensorboard  # noqa: E402

TIMEOUT = 900  # seconds


def run_program(
    words: list[str], folder: str, environment: dict[str, str], stdout: str, stderr: str
) -> None:
    """Do what ``python WORDS`` does, in this process; what it prints goes to two files."""
    for number, path in ((1, stdout), (2, stderr)):
        with open(path, "wb") as file:
            os.dup2(file.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for seed in (random.seed, np.random.seed, torch.seed):
        seed()  # from the system, not from the state that all forks share
    is_module = words[0] == "-m"
    own = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    first = folder if is_module else os.path.dirname(os.path.abspath(words[0]))
    sys.path[:1] = [first, *(part for part in own if part not in sys.path)]
    if is_module:
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def main() -> None:
    """Answer until the standard input ends."""
    torch.set_num_threads(1)  # threads do not survive a fork
    context = multiprocessing.get_context("fork")
    for line in sys.stdin:
        process = context.Process(target=run_program, kwargs=json.loads(line))
        process.start()
        process.join(TIMEOUT)
        if process.is_alive():
            process.kill()
            process.join()
        print(process.exitcode, file=ANSWERS, flush=True)


if __name__ == "__main__":
    main()
