"""The command `ovdistill`: it finds commands, refuses bad input, and is quick about both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovdistill import __version__
from ovdistill.commands import main
from ovdistill.commands.command_table import COMMANDS, Commands

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "mmengine", "mmdet", "mmcv", "numpy", "cv2", "PIL", "open_clip", "rich")
# prints the exit code, and which of the modules named first were imported
REPORT = """
import json, sys
from ovdistill.commands import main
from ovdistill.core.errors import UserError
heavy, words = json.loads(sys.argv[1])
try:
    code = main.run(words)
except SystemExit as stopped:
    code = stopped.code
except UserError as error:
    code = 2
print(json.dumps([code, [name for name in heavy if name in sys.modules]]))
"""


def every_command(commands: Commands = COMMANDS, before: tuple[str, ...] = ()) -> Iterator[tuple]:
    """The words of every command, with those of groups."""
    for name, (target, _) in commands.items():
        words = (*before, name)
        yield words
        if not isinstance(target, str):
            yield from every_command(target, words)


def measured(*command: str) -> tuple[subprocess.CompletedProcess[str], float, float]:
    """Run Python; return the process, its seconds of CPU, and its peak memory in MB."""
    code = (
        "import json, resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "seconds = used.ru_utime + used.ru_stime\n"
        "print(json.dumps([done.returncode, done.stdout, done.stderr, seconds, used.ru_maxrss]))"
    )
    words = [sys.executable, "-c", code, sys.executable, *command]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    returncode, stdout, stderr, seconds, size = json.loads(done.stdout)
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    process = subprocess.CompletedProcess(command, returncode, stdout, stderr)
    return process, seconds, size * unit / 1e6


def report(*words: object) -> tuple[int, list[str]]:
    """The exit code of a command in a process of its own, and the heavy modules it imported."""
    arguments = json.dumps([HEAVY, [str(word) for word in words]])
    command = [sys.executable, "-c", REPORT, arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    code, imported = json.loads(done.stdout.splitlines()[-1])
    return code, imported


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.run(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"ovdistill {__version__}\n"
    assert not main.run(["version"])
    printed = capsys.readouterr().out
    assert f"ovdistill {__version__}" in printed and "torch 2" in printed and "mmdet" in printed


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nothing"],
        ["--nothing"],
        ["doctor", "--nothing"],
        ["vocab"],
        ["vocab", "nothing"],
        ["train"],
        ["train", "a", "b"],
        ["train", "a", "--seed", "x"],
        ["compare", "-o", "x", "--split", "none"],
        ["prepare-voc", "folder"],
        ["doctor", "--log-level", "loud"],
    ],
)
def test_an_unknown_command_or_option_exits_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.run(words)
    assert stopped.value.code == 2


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.run(["--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert all(name in printed and line in printed for name, (_, line) in COMMANDS.items())


@pytest.mark.parametrize("words", [*every_command()], ids=" ".join)
def test_every_command_has_help_that_is_there_at_once(words: tuple[str, ...]) -> None:
    done, seconds, _ = measured("-m", "ovdistill", *words, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: ovdistill {' '.join(words)} " in done.stdout
    assert seconds < 0.5
    assert report(*words, "--help") == (0, [])


def test_options_may_be_abbreviated() -> None:
    _, options = main.parse(["train", "a.py", "--work", "runs", "--det"])
    assert (options.work_dir, options.deterministic) == ("runs", True)


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "none.png"],
        ["predict", "--checkpoint", "none.pth"],
        ["predict", "--vocabulary", "none.safetensors"],
        ["predict", "--config", "none"],
        ["predict", "--text", "a", "--vocabulary", "b"],
        ["train", "none"],
        ["prepare", "none"],
        ["test", "none", "last.pth"],
        ["test", "vild_r18_shapes", "none.pth"],
        ["test", "vild_r18_shapes", "setup.py", "--vocabulary", "none"],
        ["publish", "vild_r18_shapes", "none.pth", "-o", "out"],
        ["extract"],
        ["extract", "--config", "none"],
        ["extract", "--images", ".", "--annotations", "none", "--proposals", "gt", "-o", "out"],
        ["init-dataset", "none.json"],
        ["check", "none.json"],
        ["check", "setup.py", "--images", "none"],
        ["init-dataset", "setup.py", "--epochs", "0"],
        ["summarize", "none"],
        ["compare", "--rows", "none", "-o", "out"],
        ["doctor", "--data", "none"],
        ["prepare-voc", "none", "-o", "out"],
        ["vocab", "show", "none"],
        ["vocab", "nearest", "none"],
        ["vocab", "build", "--names", "a", "-o", "setup.py"],
        ["vocab", "build", "--names", "a", "-o", "out"],
        ["vocab", "learn", "-o", "out"],
        ["vocab", "learn", "--teacher", "ovshapes", "-o", "out"],
        ["vocab", "nearest", "setup.py", "--text", "a"],
        ["store", "info", "none"],
        ["store", "verify", "none"],
        ["prepare-lvis", "none"],
        ["prepare-segmentation", "voc", "none"],
        ["prepare-coco", "none"],
        ["train", "vild_r18_shapes", "--cfg-options", "a"],
    ],
    ids=" ".join,
)
def test_missing_input_costs_little(words: list[str]) -> None:
    done, seconds, megabytes = measured("-m", "ovdistill", *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr
    assert seconds < 1 and megabytes < 200


def test_bad_input_has_no_traceback() -> None:
    done, _, _ = measured("-m", "ovdistill.commands.main", "doctor", "--data", "no/such/folder")
    assert done.returncode == 2
    assert done.stderr == (
        "error: --data no/such/folder: no such folder; make it: mkdir -p no/such/folder\n"
    )


def test_recipes_are_found_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ovdistill", "test", "vild_r18_shapes", "none.pth"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 2 and "none.pth" in done.stderr  # the recipe was found
    command[4] = "vild_r18_shape"
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 2 and "vild_r18_shapes" in done.stderr  # what was meant


def test_quiet_commands_print_results_only(tmp_path: Path) -> None:
    words = ["make-ovshapes", "--root", str(tmp_path), "--train", "2", "--val", "1", "--test", "1"]
    command = [sys.executable, "-m", "ovdistill", *words, "--workers", "1", "--force"]
    loud = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    quiet = subprocess.run([*command, "-q"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert quiet.stdout == loud.stdout and str(tmp_path) in quiet.stdout
    assert quiet.stderr == ""
    assert "\r" not in loud.stderr  # no bar where there is no terminal
