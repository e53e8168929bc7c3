"""What a report knows of a segmentor's test."""

from __future__ import annotations

import json

import pytest

from ovdistill.core.errors import UserError
from ovdistill.evaluation.analysis.segmentation_run import (
    check_same_classes,
    read_segmentation,
    segmentation_folder,
)
from tests.evaluation.segmentation_runs import write_run


def test_a_run_is_found_in_a_trainings_folder_too(tmp_path):
    folder = write_run(tmp_path / "run" / "test")
    assert segmentation_folder(tmp_path / "run") == segmentation_folder(folder) == folder
    assert segmentation_folder(tmp_path) is None


def test_figures_of_counts(tmp_path):
    report = read_segmentation(write_run(tmp_path / "run"), "run")
    sky, road, star = report.classes
    assert (sky.group, sky.pixels, sky.iou) == ("base", 100, 60.0)
    assert (sky.confused_with, sky.confused) == ("road", 30.0)
    assert (road.confused_with, road.confused, road.iou) == ("", 0.0, -1.0)
    assert (star.group, star.confused_with, star.confused) == ("novel", "road", 75.0)
    base, novel = report.naming["base"], report.naming["novel"]
    assert base["objects"] == 150 and novel["objects"] == 40
    assert [round(base[key], 3) for key in base][:4] == [73.333, 20.0, 0.0, 6.667]
    assert [novel[key] for key in novel][:4] == [25.0, 0.0, 75.0, 0.0]
    assert report.confusions.pairs == [("sky", "road", 30), ("star", "road", 30)]
    assert report.confusions.matrix[0] == {0: 60, 1: 30, 3: 10}  # the last one has no name
    assert report.images == 7 and report.metrics["semantic/mIoU"] == 42.5


def test_damaged_files_are_named(tmp_path):
    folder = write_run(tmp_path / "run")
    for name, content in (
        ("pixel_pairs.json", dict(images=1, pairs=[[0, 3, 5]])),
        ("pixel_pairs.json", dict(images=1, pairs=[[0, 0, 0]])),
        ("pixel_pairs.json", dict(images="1", pairs=[])),
        ("pixel_pairs.json", dict(images=1, pairs=[[0, True, 5]])),
        ("per_category.json", [dict(kind="semantic", name="a", group="novel", IoU=1, Acc=1)]),
        ("per_category.json", [dict(kind="semantic", name="a", group="seen", IoU="1", Acc=1)]),
        ("per_category.json", {"kind": 3}),
    ):
        before = (folder / name).read_text()
        (folder / name).write_text(json.dumps(content))
        with pytest.raises(UserError, match=name):
            read_segmentation(folder, "run")
        (folder / name).write_text(before)


def test_values_that_no_report_could_write_are_refused(tmp_path):
    folder = write_run(tmp_path / "run")
    deep = "[" * 60 + "]" * 60
    for value, message in (("1e999", "too large"), (deep, "too deeply")):
        (folder / "provenance.json").write_text(f'{{"seed": {value}}}')
        with pytest.raises(UserError, match=message):
            read_segmentation(folder, "run")


def test_runs_of_other_classes_are_not_compared(tmp_path):
    one = read_segmentation(write_run(tmp_path / "one"), "one")
    two = read_segmentation(write_run(tmp_path / "two", names=("sky", "path", "star")), "two")
    check_same_classes([one, one])
    with pytest.raises(UserError, match="two"):
        check_same_classes([one, two])
