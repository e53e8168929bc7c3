"""The report: table, Markdown, files."""

from __future__ import annotations

import json

import pytest

from ovdistill.core.files import write_json
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.report import COLUMNS, markdown, print_table, write_report

METRICS = {"bbox/AP": 31.25, "bbox/AP_novel": 20.04, "bbox/HM50": -1.0, "segm/AP": 29.0}


def test_markdown_has_a_row_a_kind_and_a_dash_for_missing_figures():
    assert markdown(METRICS).splitlines() == [
        "|  | AP | AP_novel | HM50 |",
        "| --- | ---: | ---: | ---: |",
        "| bbox | 31.2 | 20.0 | - |",
        "| segm | 29.0 | - | - |",
    ]


def test_the_table_is_whole_on_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    print_table({f"bbox/{name}": 12.34 for name in COLUMNS}, title="test split")
    printed = capsys.readouterr().out
    assert all(name in printed for name in COLUMNS) and "test split" in printed
    assert printed.count("12.3") == len(COLUMNS)


def test_files(tmp_path):
    origin = provenance(config="configs/a.py", checkpoint="a.pth", evaluator="hotcoco", seed=3)
    metrics = {**METRICS, "proposal/AR100_novel": 50, "note": "not a number"}
    path = write_report(tmp_path / "out", metrics, origin, [{"id": 1, "name": "star"}])
    assert json.loads(path.read_text()) == {**METRICS, "proposal/AR100_novel": 50.0}
    kept = json.loads((path.parent / "provenance.json").read_text())
    assert kept["config"] == "configs/a.py" and kept["seed"] == 3
    assert kept["libraries"]["torch"].startswith("torch ")
    assert {p.name for p in path.parent.iterdir()} == {
        "metrics.json", "metrics.md", "provenance.json", "per_category.json"
    }  # fmt: skip


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"AP": 1.0})
    with pytest.raises(ValueError):
        write_json(path, {"AP": float("nan")})
    assert json.loads(path.read_text()) == {"AP": 1.0}
    assert list(tmp_path.iterdir()) == [path]
