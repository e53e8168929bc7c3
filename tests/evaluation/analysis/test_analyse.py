"""A whole analysis: its figures fit each other, and what does not fit is an error."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.evaluation.analysis.analyse import analyse_run, check_comparable
from ovdistill.evaluation.analysis.run_files import read_run
from tests.evaluation.analysis.worlds import random_world, write_files


def edit(path: Path, **changes) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


@pytest.fixture
def run(tmp_path) -> Path:
    return write_files(tmp_path / "run", *random_world(3))


def test_the_figures_fit_each_other(run):
    report = analyse_run(read_run(run), "mine").report
    assert report.name == "mine" and report.images == 12
    ap50 = {
        group: np.mean([row.ap50 for row in report.classes if group in ("all", row.group)])
        for group in ("all", "base", "novel")
    }
    # three ways to the same figure: own matching, the evaluator's classes, the mean of the curve
    assert report.errors["AP50"] == pytest.approx(ap50)
    assert {g: np.mean(curve) for g, curve in report.curves["bbox/50"].items()} == pytest.approx(
        ap50
    )
    for group in ("base", "novel"):
        shares = [report.naming[group][k] for k in ("right", "same_split", "other_split", "missed")]
        assert sum(shares) == pytest.approx(100)
    objects = sum(row.objects for row in report.classes)
    assert sum(sum(row.values()) for row in report.confusions.matrix) == objects
    worst = max(report.classes, key=lambda row: row.confused)
    assert report.confusions.pairs[0] == (worst.name, worst.confused_with, worst.confused)
    assert 0 < report.detection_recall["AR100_novel"] < 100
    assert report.training is None


def test_a_subset_of_the_images(run):
    detections = json.loads((run / "detections.bbox.json").read_text())
    kept = [row for row in detections if row["image_id"] < 5]
    (run / "detections.bbox.json").write_text(json.dumps(kept))
    edit(run / "provenance.json", image_ids=[0, 1, 2, 3, 4])
    with pytest.raises(UserError, match=r"metrics.json.*--dump"):  # AP of all images
        analyse_run(read_run(run), "")


def test_detections_of_another_run(run):
    edit(run / "metrics.json", **{"bbox/AP": 99.0})
    with pytest.raises(UserError, match="99.00"):
        analyse_run(read_run(run), "")


def test_detections_in_images_that_were_not_tested(run):
    edit(run / "provenance.json", image_ids=[0, 1])
    with pytest.raises(UserError, match="which was not tested"):
        analyse_run(read_run(run), "")
    edit(run / "provenance.json", image_ids=[0, 77])
    with pytest.raises(UserError, match="image 77"):
        analyse_run(read_run(run), "")


def test_detections_of_a_category_that_the_file_does_not_have(run):
    rows = json.loads((run / "detections.bbox.json").read_text())
    rows.append(rows[0] | {"category_id": 77})
    (run / "detections.bbox.json").write_text(json.dumps(rows))
    edit(run / "provenance.json", checkpoint=None, config=None, results={"my results.json": ""})
    with pytest.raises(UserError, match="category 77.*--results 'my results.json' --annotations"):
        analyse_run(read_run(run), "")


@pytest.mark.parametrize(("protocol", "numbers"), [("coco", {100, 300}), ("lvis", {100})])
def test_the_numbers_of_detections_of_an_image(tmp_path, protocol, numbers):
    """At most 100 count: of an image in LVIS, of each of its classes in COCO."""
    run = write_files(tmp_path / "run", *random_world(3), protocol=protocol)
    found = analyse_run(read_run(run), "").report.detection_recall
    assert {*found} == {f"AR{number}_{group}" for number in numbers for group in ("base", "novel")}


def test_a_training_log_beside_the_checkpoint(run):
    folder = run / "20260101_000000" / "vis_data"
    folder.mkdir(parents=True)
    lines = [
        {"loss": 2.0, "loss_cls": 1.5, "lr": 1, "step": 50},
        {"bbox/AP_novel": 7.0, "step": 100},
    ]
    (folder / "scalars.json").write_text("\n".join(map(json.dumps, lines)))
    training = analyse_run(read_run(run), "").report.training
    edit(run / "provenance.json", checkpoint=None)  # results of another system
    assert analyse_run(read_run(run), "").report.training is None
    assert training is not None
    assert training["losses"] == {"loss": [(50, 2.0)], "loss_cls": [(50, 1.5)]}
    assert training["ap"] == {"bbox/AP_novel": [(100, 7.0)]}


def test_runs_of_other_classes_cannot_be_compared(run):
    report = analyse_run(read_run(run), "").report
    check_comparable([report, report])
    moved = replace(report.classes[0], group="novel")
    other = replace(report, classes=[moved, *report.classes[1:]])
    with pytest.raises(UserError, match="cat"):
        check_comparable([report, other])
