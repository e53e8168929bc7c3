"""Completion in the shell, asked for as argcomplete's shell function asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def complete(line: str, answer: Path, *program: str) -> list[str]:
    """What could come at the end of a command line."""
    question = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, *(program or ("-m", "ovdistill"))]
    environment = os.environ | question
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=answer.parent)
    return [word.strip() for word in answer.read_text().splitlines()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ovdistill tr", ["train"]),
        ("ovdistill vocab b", ["build"]),
        ("ovdistill train vild_r18", ["vild_r18_shapes"]),
        ("ovdistill train vild_r18_shapes --res", ["--resume"]),
        ("ovdistill extract --config hierkd_r50", ["hierkd_r50_coco", "hierkd_r50_lvis"]),
        ("ovdistill compare --split comp", ["compositional"]),
        ("ovdistill compare --rows rkd_p", ["rkd_point", "rkd_pseudo"]),
        ("ovdistill vocab learn --place ", ["front", "middle", "end"]),
        ("ovdistill test --sub", ["--subset"]),
        ("ovdistill test --spl", []),  # an old spelling
    ],
)
def test_what_comes_next(line: str, expected: list[str], tmp_path: Path) -> None:
    assert complete(line, tmp_path / "answer") == expected


def test_files_complete(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pth").write_text("")
    found = complete("ovdistill predict --checkpoint che", tmp_path / "answer")
    assert found == ["checkpoint.pth"]


def test_a_tool_completes_the_options_of_its_command(tmp_path: Path) -> None:
    found = complete("train.py --auto", tmp_path / "answer", str(ROOT / "tools" / "train.py"))
    assert found == ["--auto-scale-lr"]
