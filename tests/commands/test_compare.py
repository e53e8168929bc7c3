"""`ovdistill compare`: what is there is reported and not run again, bad input is refused."""

import subprocess

import pytest

from ovdistill.commands.compare import CompareOptions, Comparison
from ovdistill.commands.main import parse
from ovdistill.evaluation.comparison import collect, write_comparison
from ovdistill.evaluation.comparison_rows import ROWS, pick_rows
from ovdistill.models.config import load_config

from ..comparison_runs import write_runs
from ..running import start


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
