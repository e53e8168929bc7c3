"""`ovdistill vocab show`: the names of a file, for people and for programs."""

import json
import subprocess
import sys

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Vocabulary

NAMES = "solid star, striped star, dotted ring, outlined heart"


def test_show(built, run):
    _, printed = run("show", built)
    lines = printed.splitlines()
    assert "names: 4 (3 base, 1 novel)" in lines
    assert "outlined heart\tnovel\t-\t-" in lines
    _, printed = run("show", built, "--grep", "STAR", "--limit", 1)
    assert "solid star" in printed and "ring" not in printed and "1 more" in printed
    _, printed = run("show", built, "--json")
    content = json.loads(printed)
    assert content["names"] == NAMES.split(", ")
    assert content["teacher"]["name"] == "ovshapes-rn+clip-gap"


def test_show_on_a_terminal(built, run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, printed = run("show", built)
    assert "┃" in printed and "outlined heart" in printed


def test_a_reader_may_stop(tmp_path):
    names = [f"name {n}" for n in range(9999)]
    Vocabulary.from_array(np.ones((9999, 2)), names).save(tmp_path / "v")
    show = f"{sys.executable} -m ovdistill vocab show --limit 0 {tmp_path / 'v'}"
    done = subprocess.run(f"{show} | head -1", shell=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("format: ovdistill-vocabulary-1\n", "")


def test_reading_a_file_needs_no_torch(built):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from ovdistill.commands import main\n"
        f"main.run(['vocab', 'show', {str(built)!r}])\n"
        f"main.run(['vocab', 'diff', {str(built)!r}, {str(built)!r}])\n"
        f"main.run(['vocab', 'nearest', {str(built)!r}, '--name', 'dotted ring'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "equal: 4 names" in done.stdout and "1.000\tdotted ring" in done.stdout


def test_bad_input(run, tmp_path):
    np.save(tmp_path / "e.npy", np.ones((3, 4)))
    with pytest.raises(UserError, match="damaged"):
        run("show", tmp_path / "e.npy")
