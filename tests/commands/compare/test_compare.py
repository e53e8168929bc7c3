"""`ovdistill compare`: what is there is reported and not run again, bad input is refused."""

import json
import logging
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ovdistill.commands.compare.compare import CompareOptions, Comparison
from ovdistill.commands.main import parse
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.evaluation.comparison import collect, write_comparison
from ovdistill.evaluation.comparison_rows import ROWS, Row, pick_rows
from ovdistill.models.config import load_config

from ...comparison_runs import write_runs
from ...running import start


@pytest.fixture
def out(tmp_path):
    """The folder of a comparison on split 'shape' that has been run in part."""
    write_runs(tmp_path / "out" / "shape" / "clip")
    return tmp_path / "out"


def compare(*arguments: object) -> subprocess.CompletedProcess:
    return start("tools/compare_methods.py", *arguments)


def test_it_reports_what_is_there_and_refuses_unknown_rows(out):
    done = compare("-o", out, "--report")
    assert done.returncode == 0, done.stderr
    assert "| ViLD | no | 2 |" in done.stdout
    done = compare("-o", out, "--rows", "vild", "none")
    assert done.returncode == 2 and "'none'" in done.stderr
    assert "Traceback" not in done.stderr


def test_rows_of_a_file_are_in_the_table(out, tmp_path):
    (out / "shape" / "clip" / "hierkd").rename(out / "shape" / "clip" / "mine")
    rows = tmp_path / "my_rows.py"
    rows.write_text(
        "from ovdistill.evaluation.comparison_rows import Row\n"
        "ROWS = [Row('mine', 'my method', 'my_config.py')]"
    )
    done = compare("-o", out, "--report", "--rows", rows)
    assert done.returncode == 0, done.stderr
    assert "| ViLD | no | 2 |" in done.stdout and "| my method | no | 1 |" in done.stdout


def test_runs_of_an_earlier_comparison_count_as_done(out, tmp_path):
    write_comparison(
        tmp_path / "clip",
        collect(out / "shape" / "clip", "test", ROWS),
        ROWS,
        split="shape",
        subset="test",
        geometry="clip",
    )
    earlier, new = tmp_path / "clip" / "comparison.json", tmp_path / "new"
    done = compare("-o", new, "--rows", "vild", "--seeds", 2, "--known", earlier)
    assert done.returncode == 0, done.stderr
    assert "vild, seed 1: done before" in done.stdout
    table = (new / "shape" / "clip" / "comparison.md").read_text()
    assert table == (tmp_path / "clip" / "comparison.md").read_text()
    for options in (
        ["--split", "compositional"],
        ["--subset", "val"],
        ["--pictures", "val"],
        ["--geometry", "plain"],
    ):
        done = compare("-o", new, "--report", "--known", earlier, *options)
        assert done.returncode == 2 and "split shape, test images, geometry clip" in done.stderr


def test_a_finished_run_is_not_run_again(out, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in out.glob("shape/clip/vild/**/*.json")}
    done = compare("-o", out, "--rows", "vild", "--seeds", 2, "--data-root", tmp_path / "none")
    assert done.returncode == 0, done.stderr
    assert "vild, seed 1: done before" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert not (tmp_path / "none").exists()


def test_a_row_whose_result_is_known_is_trained_where_its_checkpoint_is_needed(out):
    comparison = Comparison(CompareOptions(out=str(out), seeds=1), pick_rows(["vild", "rkd_point"]))
    vild, point = comparison.rows
    assert comparison.is_done(vild, 0) and not comparison.is_done(point, 0)
    assert comparison.open_tasks() == [(vild, 0), (point, 0)]
    comparison.checkpoint("vild", 0).touch()
    assert comparison.open_tasks() == [(point, 0)]
    comparison.rows = [point]  # the row that it needs is found though nobody asked for it
    comparison.checkpoint("vild", 0).unlink()
    assert comparison.open_tasks() == [(vild, 0), (point, 0)]


class Commands:
    """Stands in for trainings and tests: leaves their files, and keeps their words."""

    def __init__(self):
        self.done, self.memory = [], 100.0

    def __call__(self, words, log):
        name = words[3]
        if name == "train":
            folder = Path(words[words.index("--work-dir") + 1])
            (folder / "last.pth").touch()
        elif name == "test":
            assert Path(words[5]).is_file()
            folder = Path(words[words.index("-o") + 1])
            write_json(folder / "metrics.json", {"bbox/AP_novel": 30.0, "bbox/AP_base": 70.0})
            write_json(folder / "provenance.json", {})
        if name != "prepare":
            self.done.append((name, folder.parts[-2 if name == "train" else -3]))
        return None, self.memory


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Returns a comparison whose commands are stood in for."""

    def made(rows, **options):
        options = CompareOptions(**dict(out=str(tmp_path / "runs"), seeds=1) | options)
        comparison = Comparison(options, rows)
        commands = Commands()
        monkeypatch.setattr(comparison, "_run", commands)
        return comparison, commands

    return made


MINE = Row("mine", "my method", "vild_r18_shapes", ("a=1",))


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (dict(options=("a=2",)), {}, r"mine/seed0 was .*\(a was 1, is 2\)"),
        (dict(config="rkd_r18_shapes"), {}, "config was vild_r18_shapes, is rkd_r18_shapes"),
        ({}, dict(cfg_options=("b=3",)), "b was not given, is 3"),
        (dict(test_flags=("--teacher-on-crops",)), {}, r"mine/seed0/test was .*test_flags"),
    ],
)
def test_a_run_of_other_options_is_refused(make, changes, options, message):
    make([MINE])[0].run_all()
    comparison, commands = make([replace(MINE, **changes)], **options)
    with pytest.raises(UserError, match=message) as error:
        comparison.run_all()
    assert commands.done == [] and "another -o" in str(error.value)
    for path in comparison.out.rglob("made_with.json"):  # as in earlier versions
        path.unlink()
    assert comparison.run_all() == [] and commands.done == []


def test_a_run_of_the_same_options_is_done(make):
    make([MINE])[0].run_all()
    moved = replace(MINE, config="/elsewhere/vild_r18_shapes.py", title="another title")
    comparison, commands = make([moved], data_root="/elsewhere")
    assert comparison.run_all() == [] and commands.done == []
    # the options that do not count any more: nothing was kept of the run
    (comparison.folder("mine", 0) / "last.pth").unlink()
    (comparison.folder("mine", 0) / "test" / "metrics.json").unlink()
    comparison, commands = make([replace(MINE, options=())])
    assert comparison.run_all() == [] and len(commands.done) == 2


def test_an_unfinished_training_of_other_options_is_refused(make):
    comparison, _ = make([MINE])
    comparison.run_all()
    (comparison.folder("mine", 0) / "test" / "metrics.json").unlink()
    with pytest.raises(UserError, match="b was not given"):
        make([MINE], cfg_options=("b=1",))[0].run_all()
    comparison, commands = make([replace(MINE, test_flags=("--show", "3"))])
    assert comparison.run_all() == [] and commands.done[-1] == ("test", "mine")


def test_a_checkpoint_of_other_options_is_not_built_upon(make):
    make(pick_rows(["text"]))[0].run_all()
    with pytest.raises(UserError, match="text/seed0 was .*b was not given"):
        make(pick_rows(["text_crops"]), cfg_options=("b=1",))[0].run_all()
    assert make(pick_rows(["text_crops"]))[0].run_all() == []


def test_the_table_says_what_runs_were_made_with(make):
    comparison, _ = make([replace(MINE, test_flags=("--show", "3"))], cfg_options=("b=1",))
    comparison.run_all()
    (row,) = json.loads((comparison.out / "comparison.json").read_text())["rows"]
    assert row["test_flags"] == ["--show", "3"]
    made = row["runs"][0]["made_with"]
    assert made["cfg_options"] == ["b=1"] and made["data_root"] == "data/ovshapes"
    assert made["options"] == ["split=shape", "geometry=clip", "a=1"]


def test_rows_that_build_on_others_bring_all_of_these_in_their_order(make):
    second = Row("second", "", "x", starts_from="rkd_transfer")
    # text_crops has no training of its own, text has
    crops = Row("crops", "", "y", trained_as="text_crops")
    comparison, commands = make([second, crops])
    tasks = comparison.open_tasks()
    assert [row.name for row, _ in tasks] == ["rkd", "text", "crops", "rkd_transfer", "second"]
    assert [comparison.depth(row) for row, _ in tasks] == [0, 0, 1, 1, 2]
    assert comparison.run_all() == []
    assert [name for kind, name in commands.done if kind == "train"] == [
        *("rkd", "text", "rkd_transfer", "second"),
    ]
    rows = {
        row["name"]: row
        for row in json.loads((comparison.out / "comparison.json").read_text())["rows"]
    }
    assert rows["crops"]["runs"][0]["memory"] == 100  # that of text's training


def test_the_memory_of_a_resumed_training_is_the_largest(make):
    comparison, commands = make([MINE])
    commands.memory = 900.0
    comparison.run(MINE, 0)
    commands.memory = 100.0
    comparison.run(MINE, 0)
    assert json.loads((comparison.folder("mine", 0) / "cost.json").read_text())["memory"] == 900


def test_what_a_table_loses_is_said(make, tmp_path, caplog):
    comparison, _ = make([MINE], seeds=2)
    comparison.run_all()
    copy = (comparison.out / "comparison.json").rename(tmp_path / "copy.json")
    comparison, _ = make([MINE, ROWS[0]], known=str(copy), out=str(tmp_path / "other"))
    comparison.run_all()  # mine is known
    caplog.set_level(logging.WARNING)
    same = dict(out=str(tmp_path / "other"))
    make([MINE], known=str(copy), **same)[0].warn_of_lost()
    make([MINE, ROWS[0]], subset="val", **same)[0].warn_of_lost()
    assert caplog.records == []
    make([MINE], **same)[0].warn_of_lost()  # seed 0 will be made
    make([ROWS[0]], **same)[0].warn_of_lost()
    one, both = (record.getMessage() for record in caplog.records)
    assert "1 runs" in one and "of mine:" in one and "2 runs" in both


@pytest.mark.parametrize("geometry", ["clip", "plain", "hard"])
def test_the_options_of_every_row_fit_its_config(geometry, tmp_path):
    options = CompareOptions(out=str(tmp_path), geometry=geometry, data_root="X")
    for row in pick_rows([], geometry):
        words = Comparison(options, ROWS)._options(row)
        _, parsed = parse(["train", row.config, "--cfg-options", *words])
        config = load_config(row.config, parsed.overrides)
        assert config.geometry == ("weak" if geometry == "hard" else geometry)
        if row.name == "best":
            assert config.teacher.embedding_map[1] == "ovshapes-clip-directions-shape"
            continue
        assert config.teacher.embedding_map == f"ovshapes-{config.geometry}"
        head = config.model.get("roi_head", config.model).bbox_head.cls_predictor_cfg
        assert head.temperature == (0.07 if geometry == "plain" else 0.01)
        load = config.train_dataloader.dataset.pipeline[2]
        assert load.store == f"X/shape/{geometry}/regions"
        assert load.max_regions == (30 if geometry == "hard" else 10)


def test_the_error_of_a_run_is_shown(tmp_path):
    rows = tmp_path / "my_rows.py"
    rows.write_text(
        "from ovdistill.evaluation.comparison_rows import Row\n"
        "slip = ('model.backbone.type=ResNett',)\n"
        "ROWS = [Row('mine', 'my method', 'vild_r18_shapes', slip)]"
    )
    done = compare("-o", tmp_path / "out", "--rows", rows, "--data-root", tmp_path / "data")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "model.backbone: got type='ResNett'" in done.stderr
    assert not (tmp_path / "data").exists()
