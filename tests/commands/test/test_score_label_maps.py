"""`ovdistill test --results FOLDER`: label maps of any system, scored without a segmentor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ovdistill.commands import main
from ovdistill.commands.config_maps import config_label_maps
from ovdistill.commands.report import ReportOptions, report
from ovdistill.core.errors import UserError
from ovdistill.models.config import load_config
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.segmentation.data.label_map import IGNORE, read_label_map
from ovdistill.segmentation.data.record_maps import load_maps
from ovdistill.segmentation.metrics.semantic_metric import SegmentationMetric

from ...evaluation.segmentation_runs import write_run
from ...segmentation.label_files import vocabulary_of, write_image

RECIPE = "lseg_r18_shapes"
NAMES = ("road", "cat", "sky")  # rows; the values of the files are 1, 2 and 3
TABLE = "0\t-\n1\troad\n2\tcat\n3\tsky, heaven\n"


def predicted(truth: np.ndarray, names: int, seed: int) -> np.ndarray:
    """A label map that is right in about half of the pixels, and empty in some."""
    random = np.random.default_rng(seed)
    other = random.integers(IGNORE, names, truth.shape)
    return np.where(random.random(truth.shape) < 0.5, truth, other)


def dump(maps: dict[Any, np.ndarray], folder: Path, **meta: Any) -> SegmentationMetric:
    """Predictions of a test, written as label maps, and its metric, which has evaluated."""
    metric = SegmentationMetric(dump=str(folder))
    metric.dataset_meta = meta
    for number, (image_id, truth) in enumerate(maps.items()):
        both = dict(gt_sem_seg=truth, pred_sem_seg=predicted(truth, len(meta["classes"]), number))
        sample = {key: dict(sem_seg=torch.from_numpy(rows)[None]) for key, rows in both.items()}
        metric.process(None, [dict(img_id=image_id, **sample)])
    metric.evaluate(len(maps))
    return metric


def score(out: Path, *words: object) -> dict[str, float]:
    assert not main.run(["test", "-o", str(out), *map(str, words)])
    return json.loads((out / "metrics.json").read_text())


def figures(metric: SegmentationMetric) -> dict[str, float]:
    return {f"semantic/{name}": value for name, value in metric.scores.metrics().items()}


@pytest.fixture
def world(tmp_path):
    """Folders of label maps, of the truth and of a test, the test's metric, and a table."""
    random = np.random.default_rng(0)
    maps = {name: random.integers(IGNORE, 3, (20, 30)) for name in ("a", "sub/b", "c")}
    for name, rows in maps.items():
        write_image(tmp_path / f"truth/{name}.png", (rows + 1).astype(np.uint8))
    (tmp_path / "table.tsv").write_text(TABLE)
    meta = dict(classes=NAMES, is_base=(True, False, True), label_values=(1, 2, 3))
    return tmp_path, dump(maps, tmp_path / "found", **meta)


def words_of(folder: Path) -> list[object]:
    truth = ["--label-maps", folder / "truth", "--label-table", folder / "table.tsv"]
    return ["--results", folder / "found", *truth]


def test_a_dump_has_the_figures_of_the_test_that_wrote_it(world, tmp_path, capsys):
    folder, metric = world
    found = score(tmp_path / "out", *words_of(folder), "--novel", "cat")
    assert found == figures(metric)  # to the last bit
    assert 20 < found["semantic/uIoU"] < 80 and found["semantic/hIoU"] > 20
    classes = json.loads((tmp_path / "out" / "per_category.json").read_text())
    assert classes == [dict(kind="semantic", **record) for record in metric.per_category]
    assert "uIoU" in capsys.readouterr().out
    assert "uIoU" in (tmp_path / "out" / "metrics.md").read_text()
    origin = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert (origin["results"], origin["images"]) == (str(folder / "found"), 3)
    assert origin["label_table"] == str(folder / "table.tsv") and origin["checkpoint"] is None


def test_a_report_is_made_of_it_and_shows_nothing_of_a_run_before(world, tmp_path):
    folder, metric = world
    run = write_run(tmp_path / "out")  # of three images with two drawings and other pairs
    (run / "examples" / "notes.txt").write_text("a user's own")
    score(run, *words_of(folder), "--novel", "cat")
    report(ReportOptions(runs=(str(run),), out=str(tmp_path / "page")))
    (found,) = json.loads((tmp_path / "page" / "report.json").read_text())["runs"]
    assert found["images"] == 3 and [row["name"] for row in found["classes"]] == [*NAMES]
    assert sum(row["pixels"] for row in found["classes"]) == metric.scores.truth.sum()
    assert "image/webp" not in (tmp_path / "page" / "report.html").read_text()
    assert [path.name for path in (run / "examples").iterdir()] == ["notes.txt"]


def test_files_of_no_image_are_counted(world, tmp_path, caplog):
    folder, metric = world
    for name in ("a.png", "d.png"):
        write_image(folder / "found/other" / name, np.zeros((20, 30), np.uint8))
    with caplog.at_level("WARNING"):
        assert score(tmp_path / "out", *words_of(folder), "--novel", "cat") == figures(metric)
    (line,) = (record.getMessage() for record in caplog.records if "no image" in record.msg)
    assert line.startswith("2 files of") and "other/a.png" in line


def test_a_name_without_a_value_is_predicted_by_a_test_alone(tmp_path):
    """As the page says: a file has no value for it."""
    maps = {"a": np.array([[0, 1, 1, 1]])}
    write_image(tmp_path / "truth/a.png", (maps["a"] + 1).astype(np.uint8))
    (tmp_path / "table.tsv").write_text(TABLE)
    names = ["road", "cat", "tree"]
    metric = SegmentationMetric(dump=str(tmp_path / "found"))
    metric.dataset_meta = dict(classes=names, is_base=(True,) * 3, label_values=(1, 2, IGNORE))
    both = dict(gt_sem_seg=maps["a"], pred_sem_seg=np.array([[0, 1, 1, 2]]))
    sample = {key: dict(sem_seg=torch.from_numpy(rows)[None]) for key, rows in both.items()}
    metric.process(None, [dict(img_id="a", **sample)])
    metric.evaluate(1)
    vocabulary_of(names).save(tmp_path / "v.safetensors")
    found = score(tmp_path / "out", *words_of(tmp_path), "--vocabulary", tmp_path / "v.safetensors")
    cat = 200 / 3
    assert figures(metric)["semantic/mIoU"] == pytest.approx((100 + cat + 0) / 3)
    assert found["semantic/mIoU"] == pytest.approx((100 + cat) / 2)
    assert found["semantic/pAcc"] == figures(metric)["semantic/pAcc"]


def test_a_vocabulary_says_which_classes_compete(world, tmp_path):
    """Another order and a name of the same class; pixels of the class that it lacks are ignored."""
    folder, _ = world
    vocabulary_of(["heaven", "cat"], ["heaven"]).save(tmp_path / "v.safetensors")
    score(tmp_path / "out", *words_of(folder), "--vocabulary", tmp_path / "v.safetensors")
    rows = json.loads((tmp_path / "out" / "per_category.json").read_text())
    assert [(row["name"], row["group"]) for row in rows] == [("heaven", "unseen"), ("cat", "seen")]
    truth, found = (
        np.stack([read_label_map(folder / kind / f"{name}.png") for name in ("a", "sub/b", "c")])
        for kind in ("truth", "found")
    )
    known = truth >= 2
    both, either = (truth == 3) & (found == 3), (truth == 3) | ((found == 3) & known)
    assert rows[0]["IoU"] == pytest.approx(100 * both.sum() / either.sum())


def test_a_dump_of_a_recipe_has_the_figures_of_its_test(tmp_path):
    root = make_ovshapes(tmp_path / "data", train=1, val=3, test=1, workers=1)
    options = ["--cfg-options", f"data_root={root}"]
    config = load_config(RECIPE, dict(data_root=str(root)))
    assert not main.run(["prepare", RECIPE, *options])
    maps = config_label_maps(config, "val", config.vocabulary)
    metric = dump(
        {record["img_id"]: load_maps(record)[0].astype(np.int64) for record in maps.records},
        tmp_path / "found",
        classes=maps.names,
        is_base=maps.is_base,
        label_values=range(1, len(maps.names) + 1),
    )
    words = [RECIPE, "--subset", "val", "--results", tmp_path / "found", *options]
    found = score(tmp_path / "out", *words)
    assert found == figures(metric) and 40 < found["semantic/pAcc"] < 60
    next((tmp_path / "found").iterdir()).unlink()
    with pytest.raises(UserError, match="1 of 3 label maps are missing"):
        score(tmp_path / "out", *words)


def test_options_that_do_not_go_together(world, tmp_path):
    folder, _ = world
    words = words_of(folder)
    (tmp_path / "boxes.json").write_text("[]")
    for options, message in (
        ([RECIPE, *words], "either CONFIG or both of the others"),
        (words[:4], "--label-table None"),
        ([*words, "--protocol", "coco"], "--protocol with a folder"),
        ([*words, "--dump"], "--dump with a folder"),
        ([*words, "--show", 2], "--show with --results"),
        ([*words, "--results", folder / "truth"], "expected one folder"),
        ([RECIPE, *words[:2], "--novel", "a"], "--novel with CONFIG"),
        ([*words, "--label-maps", folder / "none"], "--label-maps .*none"),
        (["vild_r18_shapes", *words[:2]], "no label maps"),
        (["--results", tmp_path / "boxes.json", *words[2:], "--annotations", "x"], "x"),
        ([RECIPE, tmp_path / "boxes.json", *words[2:]], "--label-maps without --results"),
    ):
        with pytest.raises(UserError, match=message):
            score(tmp_path / "out", *options)
