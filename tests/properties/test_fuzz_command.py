"""`benchmarks/fuzz.py`: what it counts, reports and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovdistill.core.errors import UserError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def fuzz(monkeypatch):
    """The module; a script finds what lies beside it."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fuzz

    return fuzz


def test_it_counts_and_reports(fuzz, tmp_path, capsys):
    options = fuzz.FuzzOptions(readers=("queries,weights",), inputs=20, out=tmp_path / "out")
    assert fuzz.main(options) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["faults"] == []
    printed = capsys.readouterr().out
    for name in ("queries", "weights"):
        count = report["readers"][name]
        assert (count["accepted"] + count["refused"], count["faults"]) == (20, 0)
        assert f"| {name} | 20 |" in printed
    with pytest.raises(UserError, match="earlier run"):
        fuzz.main(options)


def test_a_fault_is_exit_code_1(fuzz, tmp_path, capsys, monkeypatch):
    from fuzzing.readers.texts import QueriesReader  # of the same path as the script's

    monkeypatch.setattr(QueriesReader, "read", lambda self, folder: 1 // 0)
    options = fuzz.FuzzOptions(readers=("queries",), inputs=3, out=tmp_path / "out")
    assert fuzz.main(options) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_it_makes_one_input_again(fuzz, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fuzz.main(fuzz.FuzzOptions(replay=("queries", "7"), out=tmp_path)) == 0
    assert str(tmp_path / "queries-7") in capsys.readouterr().out
    assert (tmp_path / "queries-7" / "input.txt").is_file()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (dict(readers=("nobody",)), "nobody"),
        (dict(replay=("queries",)), "queries"),
        (dict(replay=("queries", "x")), "x"),
        (dict(inputs=0), "0"),
    ],
)
def test_it_refuses_what_is_not_there(fuzz, options, named, tmp_path):
    with pytest.raises(UserError, match=named):
        fuzz.main(fuzz.FuzzOptions(**options, out=tmp_path))
