"""The comparison: results that are collected, table and plot that show them."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.evaluation import comparison
from ovdistill.evaluation.comparison import collect, markdown, read_runs, write_comparison
from ovdistill.evaluation.comparison_rows import ROWS, Row
from ovdistill.evaluation.comparison_settings import run_settings, write_settings

from ..comparison_runs import write_runs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "shape" / "clip"
    write_runs(path)
    return path


def test_table_and_plot(folder):
    found = collect(folder, "test", ROWS)
    assert set(found) == {"vild", "hierkd"}
    assert [run["seed"] for run in found["vild"]] == [0, 1]
    assert found["hierkd"][0]["seconds"] == 0.3 and found["hierkd"][0]["device"] == "cpu"
    write_comparison(folder, found, ROWS, "shape", "test", "clip")
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
    assert Image.open(folder.parent / "comparison.png").width > 500


@pytest.mark.parametrize("name", ["seed0_before_fix", "seed_old", "seed00", "seeds"])
def test_other_folders_are_no_seeds(folder, name):
    expected = collect(folder, "test", ROWS)
    (folder / "vild" / name / "test").mkdir(parents=True)
    for path in (folder / "vild" / "seed1" / "test").iterdir():
        (folder / "vild" / name / "test" / path.name).write_text(path.read_text())
    assert collect(folder, "test", ROWS) == expected


def test_only_the_rows_that_are_given_are_collected_and_written(folder):
    mine = [Row("hierkd", "my method", "hierkd_r18_shapes")]
    found = collect(folder, "test", mine)
    assert set(found) == {"hierkd"}
    write_comparison(folder, collect(folder, "test", ROWS), mine, "shape", "test", "clip")
    (row,) = json.loads((folder / "comparison.json").read_text())["rows"]
    assert (row["title"], row["config"]) == ("my method", "hierkd_r18_shapes")


def test_memory_is_that_of_the_process_without_a_gpu(folder):
    for path in folder.glob("vild/seed0/*/vis_data/scalars.json"):
        path.write_text(json.dumps(dict(loss=1.0, time=0.5)))
    (folder / "vild" / "seed0" / "cost.json").write_text(json.dumps(dict(memory=1234.5)))
    found = collect(folder, "test", ROWS)["vild"]
    assert [run["memory"] for run in found] == [1234.5, 100]


def test_costs_are_those_of_one_device(folder):
    found = collect(folder, "test", ROWS)
    slow, fast = found["vild"]
    slow |= dict(device="cpu", seconds=0.5)
    fast |= dict(device="a GPU", seconds=0.1)
    write_comparison(folder, found, ROWS, "shape", "test", "clip")
    (row, _) = json.loads((folder / "comparison.json").read_text())["rows"]
    assert row["summary"]["seconds"]["mean"] == 0.5
    assert row["summary"]["bbox/AP_novel"]["mean"] == 32


def test_a_row_has_the_cost_of_the_training_that_it_shares(folder):
    (folder / "rkd_point" / "seed0" / "test").mkdir(parents=True)
    for name in ("metrics.json", "provenance.json"):
        content = (folder / "vild" / "seed0" / "test" / name).read_text()
        (folder / "rkd_point" / "seed0" / "test" / name).write_text(content)
    (run,) = collect(folder, "test", ROWS)["rkd_point"]
    assert (run["seconds"], run["memory"]) == (0.3, 100)


def test_a_metric_of_one_run_has_no_spread(folder):
    found = collect(folder, "test", ROWS)
    found["vild"][0]["bbox/AP"] = 50.0
    write_comparison(folder, found, ROWS, "shape", "test", "clip")
    table = (folder / "comparison.md").read_text()
    assert "| ViLD | no | 2 | 32.0 ± 2.8 | 71.0 ± 1.4 | 50.0 |" in table
    (row, _) = json.loads((folder / "comparison.json").read_text())["rows"]
    assert row["summary"]["bbox/AP"] == {"mean": 50.0, "std": 0.0, "count": 1}
    del row["summary"]["bbox/AP"]["count"]  # as in earlier versions
    assert "| 50.0 ± 0.0 |" in markdown([row])


def test_rows_in_whose_tests_the_teacher_runs(folder, monkeypatch):
    shown = []
    monkeypatch.setattr(comparison, "plot_comparison", lambda *words: shown.append(words[-1]))
    rows = [
        Row("vild", "my method", "x", test_flags=("--teacher-on-crops",)),
        Row("hierkd", "mine", "x", test_flags=("--show", "3")),
    ]
    write_comparison(folder, collect(folder, "test", rows), rows, "shape", "test", "clip")
    path = folder / "comparison.json"
    content = json.loads(path.read_text())
    content["rows"][0] |= {"name": "text_crops"}  # of an earlier version: a shipped row
    for row in content["rows"]:
        del row["test_flags"]
    (folder.parent / "hard").mkdir()
    (folder.parent / "hard" / "comparison.json").write_text(json.dumps(content))
    write_comparison(folder, collect(folder, "test", rows), rows, "shape", "test", "clip")
    assert shown == [{"vild"}, {"vild", "text_crops"}]


def test_a_row_says_what_its_runs_were_made_with(folder):
    settings = run_settings(ROWS[2], ["split=shape"], ["a=1"], "data")
    write_settings(folder / "vild" / "seed0" / "test", settings)
    first, second = collect(folder, "test", ROWS)["vild"]
    assert first["made_with"] == settings and "made_with" not in second
    write_settings(folder / "vild" / "seed0" / "test", settings | {"options": 5})
    with pytest.raises(UserError, match=r"seed0/test/made_with\.json"):
        collect(folder, "test", ROWS)


def test_results_of_earlier_versions_are_read(folder):
    """Their keys said 'picture' where those of today say 'image' and 'subset'."""
    (folder / "vild" / "seed0" / "test" / "provenance.json").write_text(
        json.dumps(dict(seconds_per_picture=0.5))
    )
    runs = collect(folder, "test", ROWS)["vild"]
    assert [run["test_seconds"] for run in runs] == [0.5, 0.0625]
    path = ROOT / "docs" / "results" / "shape" / "plain" / "comparison.json"
    content = json.loads(path.read_text())
    old = folder / "old.json"
    old.write_text(
        json.dumps(dict(split="shape", pictures="test", rows=content["rows"], provenance={}))
    )
    vild = next(row["runs"] for row in content["rows"] if row["name"] == "vild")
    for file in (path, old):
        assert read_runs(file, "shape", "test", "plain")["vild"] == vild
    for split, subset in (("compositional", "test"), ("shape", "val")):
        with pytest.raises(UserError, match=f"split {split}, {subset} images, geometry plain"):
            read_runs(old, split, subset, "plain")
    with pytest.raises(UserError, match="nothing.json"):
        read_runs(folder / "nothing.json", "shape", "test", "clip")


def test_known_runs_give_way_to_those_in_the_folder(folder):
    known = {"vild": [{"seed": 1, "bbox/AP_novel": 1.0}, {"seed": 7, "bbox/AP_novel": 2.0}]}
    runs = collect(folder, "test", ROWS, known)["vild"]
    assert [(run["seed"], run["bbox/AP_novel"]) for run in runs] == [(0, 30), (1, 34), (7, 2)]


def test_a_row_without_novel_ap_is_in_the_table_and_not_in_the_plot(folder):
    path = folder / "vild" / "seed0" / "test" / "metrics.json"
    path.write_text(json.dumps({"bbox/AP_base": 50.0, "bbox/AP_novel": -1.0}))
    found = collect(folder, "test", ROWS)
    found["vild"] = found["vild"][:1]
    write_comparison(folder, found, ROWS, "shape", "test", "clip")
    assert "| ViLD | no | 1 | - | 50.0 |" in (folder / "comparison.md").read_text()
    assert (folder.parent / "comparison.png").is_file()
