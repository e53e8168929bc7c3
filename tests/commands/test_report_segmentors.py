"""`ovdistill report` of segmentors: its files and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovdistill.commands.report import ReportOptions, report
from ovdistill.core.errors import UserError
from tests.evaluation.segmentation_runs import write_run

HOSTILE = ("<script>hostile()</script>", "\"quoted\" & 'so'", "emu | *x*")


def run(tmp_path: Path, *runs: Path | str, **options: object) -> Path:
    report(ReportOptions(runs=tuple(map(str, runs)), out=str(tmp_path / "out"), **options))
    return tmp_path / "out"


def test_the_files_have_the_figures_and_nothing_of_them_is_markup(tmp_path):
    one, two = (write_run(tmp_path / name / "test", names=HOSTILE) for name in ("one", "b"))
    out = run(tmp_path, one.parent, f"other={two}")
    content = json.loads((out / "report.json").read_text())
    assert [own["name"] for own in content["runs"]] == ["one", "other"]
    assert [row["name"] for row in content["runs"][0]["classes"]] == [*HOSTILE]
    html, text = (out / "report.html").read_text(), (out / "report.md").read_text()
    assert html.count("<script>") == 1 and "hostile()&lt;/script&gt;" in html
    assert "| 42.5 |" in text and "emu \\| \\*x\\*" in text
    for part in ("42.5", "7 images", "190 labelled pixels", "(75 %)", "Pixels of novel classes"):
        assert part in html
    assert html.count("data:image/webp;base64,") == 2 and "could not be read" in html


def test_panoptic_quality_is_shown_where_a_run_has_it(tmp_path):
    one, two = (write_run(tmp_path / name) for name in ("one", "two"))
    assert "PQ novel" not in (run(tmp_path, one) / "report.md").read_text()
    path = two / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"panoptic/uPQ": 31.25}))
    out = run(tmp_path, one, two)
    line = next(x for x in (out / "report.md").read_text().splitlines() if x.startswith("| two |"))
    assert "31.2" in line and "PQ novel" in (out / "report.html").read_text()


def test_examples_can_be_left_out(tmp_path):
    folder = write_run(tmp_path / "one")
    assert "webp" not in (run(tmp_path, folder, gallery=0) / "report.html").read_text()
    (folder / "examples" / "examples.json").unlink()
    assert "webp" not in (run(tmp_path, folder) / "report.html").read_text()


def test_no_file_outside_of_the_run_is_shown(tmp_path):
    folder = write_run(tmp_path / "one")
    path = folder / "examples" / "examples.json"
    path.write_text(path.read_text().replace("worst_0.webp", "../metrics.json"))
    with pytest.raises(UserError, match=r"examples\.json"):
        run(tmp_path, folder)


def test_what_does_not_fit_is_refused(tmp_path):
    folder = write_run(tmp_path / "one")
    (tmp_path / "detector").mkdir()
    with pytest.raises(UserError, match="detector"):
        run(tmp_path, folder, tmp_path / "detector")
    with pytest.raises(UserError, match="--images"):
        run(tmp_path, folder, images=str(tmp_path))
    assert not (tmp_path / "out").exists()
