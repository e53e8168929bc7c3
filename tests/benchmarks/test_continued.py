"""The table of continued trainings: its arithmetic, and that documents show what was recorded."""

import json
import re
from pathlib import Path
from statistics import mean, stdev

import pytest

from benchmarks.continue_training import collect, group_of, main, make_rows, markdown
from ovdistill.commands.compare.compare import CompareOptions, Comparison
from ovdistill.core.recipes import find_recipe
from ovdistill.models.config import load_config
from ovdistill.ovshapes.categories import category_names

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "docs" / "results" / "continue" / "continue.json"


def write_run(folder: Path, arrow: float, heart: float, hexagon: float, circle: float) -> None:
    """Write what `ovdistill test` writes of a run's classes."""
    found = dict(arrow=arrow, heart=heart, hexagon=hexagon, circle=circle)
    classes = [
        dict(name=f"solid {shape}", bbox=dict(AP=ap), segm=dict(AP=ap / 2))
        for shape, ap in found.items()
    ]
    folder.mkdir(parents=True)
    (folder / "per_category.json").write_text(json.dumps(classes))


@pytest.fixture
def comparison(tmp_path):
    made = Comparison(CompareOptions(out=str(tmp_path), seeds=2), make_rows("new"))
    write_run(made.folder("best", 0) / "test", 50, 60, 40, 80)
    write_run(made.folder("best", 1) / "test", 50, 60, 60, 80)
    write_run(made.folder("continued", 0) / "test", 70, 50, 40, 80)
    write_run(made.folder("continued", 1) / "test", 74, 60, 60, 76)
    return made


def test_groups_of_classes_and_the_share_that_is_kept(comparison):
    before, after = collect(comparison, "test")
    assert (before["name"], after["name"]) == ("best", "continued")
    first, second = after["runs"]
    assert {k: v for k, v in first.items() if k.startswith("bbox")} == {
        "bbox/new": 70, "bbox/novel": 45, "bbox/base": 80, "bbox/kept": 90,
    }  # fmt: skip
    # each seed is compared with the detector that it started from
    assert second["bbox/kept"] == second["segm/kept"] == 100
    line = markdown([before, after]).splitlines()[3]
    assert "| 2 | 72.0 ± 2.8 | 52.5 ± 10.6 | 95.0 ± 7.1 | 78.0 ± 2.8 |" in line


def test_the_table_alone(comparison, tmp_path, monkeypatch, capsys):
    words = ["continue_training.py", "-o", str(tmp_path), "--seeds", "2", "--report"]
    monkeypatch.setattr("sys.argv", words)
    main()
    written = json.loads((tmp_path / "continue.json").read_text())
    assert written["rows"] == collect(comparison, "test")
    assert (tmp_path / "continue.md").read_text() in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "trained_shapes", "terms", "data_sets"),
    [
        ("plain_new", 1, 0, 1),
        ("plain", 11, 0, 1),
        ("distilled", 11, 2, 1),
        ("replayed", 11, 0, 2),
        ("continued", 11, 2, 2),
    ],
)
def test_what_each_row_trains_with(name, trained_shapes, terms, data_sets):
    (row,) = (row for row in make_rows("new") if row.name == name)
    config = load_config(row.config)
    novel = config.prepare.vocabulary.split
    assert len({*category_names()} - {*novel}) == 5 * trained_shapes
    assert not any("arrow" in name for name in novel)
    assert len(config.model.distillers) == terms
    joined = config.train_dataloader.dataset
    parts = joined.get("datasets", [joined])
    assert len(parts) == data_sets
    assert [group_of(name) for name in parts[0].labelled] == ["new"] * 5
    for old in parts[1:]:
        assert {group_of(name) for name in old.labelled} == {"base"} and len(old.labelled) == 50


def test_the_table_of_the_page_is_that_of_the_recorded_runs():
    rows = json.loads(RECORDED.read_text())["rows"]
    known = [line.split("|")[1:7] for line in markdown(rows).splitlines()]
    page = (ROOT / "docs" / "continue.md").read_text()
    shown = re.search(r"^\| training \|.*?\n\n", page, re.M | re.S)[0]
    assert [line.split("|")[1:7] for line in shown.splitlines() if line] == known


def test_the_result_that_the_recipe_names():
    rows = {row["name"]: row["runs"] for row in json.loads(RECORDED.read_text())["rows"]}
    docstring = find_recipe("continue_r18_shapes").read_text().split('"""')[1]
    for metric in ("bbox", "segm"):
        for group in ("new", "novel", "base"):
            before, after = (
                [run[f"{metric}/{group}"] for run in rows[n]] for n in ("best", "continued")
            )
            assert f"{mean(before):.1f} -> {mean(after):.1f} +- {stdev(after):.1f}" in docstring
