"""The comparison: rows that exist, figures that are collected, table and plot that show them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ovdistill.evaluation.comparison import ROWS, collect, write_comparison
from ovdistill.models.config import load_config

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path):
    """Two seeds of 'vild', one of 'hierkd', and one of 'text' that has not been tested."""
    runs = {("vild", 0): (30.0, 70.0), ("vild", 1): (34.0, 72.0), ("hierkd", 0): (40.0, 60.0)}
    for (row, seed), (novel, base) in runs.items():
        run = tmp_path / row / f"seed{seed}"
        (run / "test").mkdir(parents=True)
        metrics = {"bbox/AP_novel": novel, "bbox/AP_base": base, "bbox/APl": -1.0}
        (run / "test" / "metrics.json").write_text(json.dumps(metrics))
        (run / "test" / "provenance.json").write_text(json.dumps(dict(seconds_per_image=0.0625)))
        (run / "2026" / "vis_data").mkdir(parents=True)
        lines = [dict(loss=1.0, time=t, memory=100) for t in (0.9, 0.2, 0.3)] + [{"bbox/AP": 1}]
        scalars = "\n".join(map(json.dumps, lines))
        (run / "2026" / "vis_data" / "scalars.json").write_text(scalars)
    (tmp_path / "text" / "seed0").mkdir(parents=True)
    return tmp_path


def test_every_row_names_a_config_and_options_that_fit():
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        options = dict(option.split("=") for option in row.options)
        config = load_config(ROOT / "configs" / f"{row.config}.py", options)
        assert len(config.model.distillers) > 0  # the same regions pass the head in every row
        # text alone in ATSS is given HierKD's captions, with a weight of zero
        learns = any(float(term.get("loss_weight", 1)) > 0 for term in config.model.distillers)
        captions = any("Caption" in str(step) for step in config.train_pipeline)
        assert row.novel_captions == (captions and learns)
        assert {row.trained_as, row.starts_from} <= {None, *(other.name for other in ROWS)}


def test_table_and_plot(folder):
    found = collect(folder, "test")
    assert set(found) == {"vild", "hierkd"}
    assert [run["seed"] for run in found["vild"]] == [0, 1]
    assert found["hierkd"][0]["seconds"] == 0.3
    write_comparison(folder, found, "shape", "test")
    rows = {
        row["name"]: row for row in json.loads((folder / "comparison.json").read_text())["rows"]
    }
    novel = rows["vild"]["summary"]["bbox/AP_novel"]
    assert novel["mean"] == 32 and novel["std"] == pytest.approx(8**0.5)
    assert rows["vild"]["summary"]["segm/AP_novel"] is None
    table = (folder / "comparison.md").read_text()
    assert "| ViLD | no | 2 | 32.0 ± 2.8 | 71.0 ± 1.4 |" in table
    assert (
        "| HierKD, two-stage | yes | 1 | 40.0 | 60.0 |" in table and "0.30 | 0.062 | 100 |" in table
    )
    assert Image.open(folder / "comparison.png").width > 500


def test_memory_is_that_of_the_process_without_a_gpu(folder):
    for path in folder.glob("vild/seed0/*/vis_data/scalars.json"):
        path.write_text(json.dumps(dict(loss=1.0, time=0.5)))
    (folder / "vild" / "seed0" / "cost.json").write_text(json.dumps(dict(memory=1234.5)))
    found = collect(folder, "test")["vild"]
    assert [run["memory"] for run in found] == [1234.5, 100]


def tool(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "tools" / "compare_methods.py", *arguments]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=ROOT)


def test_the_tool_reports_what_is_there_and_refuses_unknown_rows(folder, tmp_path):
    (tmp_path / "runs").mkdir()
    for row in ("vild", "hierkd"):
        (folder / row).rename(tmp_path / "runs" / row)
    (tmp_path / "runs").rename(tmp_path / "shape")
    done = tool("-o", tmp_path, "--report")
    assert done.returncode == 0, done.stderr
    assert "| ViLD | no | 2 |" in done.stdout
    done = tool("-o", tmp_path, "--rows", "vild", "none")
    assert done.returncode == 2 and "got row 'none'" in done.stderr
    assert "Traceback" not in done.stderr


def test_runs_of_an_earlier_comparison_count_as_done(folder, tmp_path):
    write_comparison(folder, collect(folder, "test"), "shape", "test")
    earlier = folder / "comparison.json"
    out = tmp_path / "new"
    done = tool("-o", out, "--rows", "vild", "--seeds", 2, "--known", earlier)
    assert done.returncode == 0, done.stderr
    assert "vild, seed 1: done before" in done.stdout
    table = (out / "shape" / "comparison.md").read_text()
    assert table == (folder / "comparison.md").read_text()
    for options in (["--split", "compositional"], ["--subset", "val"]):
        done = tool("-o", out, "--report", "--known", earlier, *options)
        assert done.returncode == 2 and "split shape, test images; expected" in done.stderr


def test_a_finished_run_is_not_run_again(folder, tmp_path):
    (tmp_path / "shape").mkdir()
    (folder / "vild").rename(tmp_path / "shape" / "vild")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("shape/vild/**/*.json")}
    done = tool("-o", tmp_path, "--rows", "vild", "--seeds", 2, "--data-root", tmp_path / "none")
    assert done.returncode == 0, done.stderr
    assert "vild, seed 1: done before" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert not (tmp_path / "none").exists()
