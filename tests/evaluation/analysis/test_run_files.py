"""The folder of a test run: what is there, what is missing, what is damaged."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.evaluation.analysis.run_files import (
    dump_command,
    read_detections,
    read_run,
    run_names,
)
from tests.evaluation.analysis.worlds import random_world, write_files


@pytest.fixture
def run(tmp_path) -> Path:
    return write_files(tmp_path / "work" / "test", *random_world(0))


def test_a_folder_of_a_training_means_its_test(run):
    direct, above = read_run(run), read_run(run.parent)
    assert direct.folder == above.folder == run
    rows = json.loads((run / "detections.bbox.json").read_text())
    assert len(direct.detections["bbox"]) == len(rows)
    assert [row["name"] for row in direct.classes] == ["cat", "dog", "yak", "emu"]


def test_missing_detections_name_the_command_that_writes_them(run):
    (run / "detections.bbox.json").unlink()
    with pytest.raises(UserError) as error:
        read_run(run)
    command = f"ovdistill test some_config {run}/last.pth -o {run} --dump"
    assert f"`{command}`" in str(error.value)


ORIGIN = {"ann_file": "truth.json", "novel": "a, b", "protocol": "lvis", "subset": None}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["--annotations", "truth.json", "--novel", "a, b", "--protocol", "lvis"]),
        ({"vocabulary": "v", "novel": None, "protocol": None, "images_with_results": True},
         ["--annotations", "truth.json", "--vocabulary", "v", "--images-with-results"]),
    ],
)  # fmt: skip
def test_the_command_for_results_of_any_system(changes, words):
    origin = ORIGIN | {"results": {"boxes.json": "0", "masks.json": "1"}} | changes
    command = ["ovdistill", "test", "--results", "boxes.json", "masks.json", *words]
    assert dump_command(origin, Path("out")) == f"`{shlex.join([*command, '-o', 'out', '--dump'])}`"
    of_recipe = origin | {"config": "some_config", "images_with_results": False, "subset": "val"}
    assert dump_command(of_recipe, Path("out")) == (
        "`ovdistill test some_config --results boxes.json masks.json --subset val -o out --dump`"
    )


def test_an_earlier_version_must_be_tested_again(run):
    path = run / "provenance.json"
    origin = json.loads(path.read_text())
    del origin["max_dets"]
    path.write_text(json.dumps(origin | {"subset": "val"}))
    with pytest.raises(UserError, match="max_dets.*--subset val"):
        read_run(run)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_dets", -1),
        ("protocol", "voc"),
        ("image_ids", [[1]]),
        ("image_ids", "12"),
        ("proposals_per_image", "x"),
        ("checkpoint", 5),
    ],
)
def test_a_damaged_provenance(run, key, value):
    path = run / "provenance.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(UserError, match=rf"provenance\.json cannot be used \('{key}'"):
        read_run(run)


def damaged_classes(rows: list[dict]) -> list:
    """Tables of classes of which each has one fault."""
    first, *others = rows
    faults = [{"segm": None}, {"segm": {}}, {"segm": {"AP": "x"}}, {"frequency": 5}, {"id": "1"}]
    return [{}, [], *([first | fault, *others] for fault in faults)]


def test_a_damaged_table_of_classes(run):
    path = run / "per_category.json"
    for content in damaged_classes(json.loads(path.read_text())):
        path.write_text(json.dumps(content))
        with pytest.raises(UserError, match=r"per_category\.json"):
            read_run(run)


def test_no_run_at_all(tmp_path):
    with pytest.raises(UserError, match="metrics.json"):
        read_run(tmp_path)


GOOD = {"image_id": "7", "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}


def test_ids_are_numbers(tmp_path):
    path = tmp_path / "detections.bbox.json"
    path.write_text(json.dumps([GOOD]))
    found = read_detections(path, "bbox")
    assert (found.image_ids.tolist(), found.category_ids.tolist()) == ([7], [2])
    assert found.boxes.tolist() == [[1, 2, 3, 4]]
    path.write_text("[]")
    assert len(read_detections(path, "bbox")) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"bbox": [1, 2, 3]},
        {"bbox": None},
        {"bbox": [1, 2, 3, "x"]},
        {"score": "high"},
        {"score": None},
        {"image_id": None},
        {"image_id": [1]},
        {"category_id": True},
    ],
)
def test_damaged_detections(tmp_path, change):
    path = tmp_path / "detections.bbox.json"
    path.write_text(json.dumps([GOOD | change]))
    with pytest.raises(UserError, match="detections.bbox.json"):
        read_detections(path, "bbox")


@pytest.mark.parametrize("content", ["{", "{}", "[1]", "3", '[{"image_id": 1}]'])
def test_other_files(tmp_path, content):
    path = tmp_path / "detections.bbox.json"
    path.write_text(content)
    with pytest.raises(UserError):
        read_detections(path, "bbox")


def test_masks_are_rles(tmp_path):
    path = tmp_path / "detections.segm.json"
    row = {key: GOOD[key] for key in ("image_id", "category_id", "score")}
    path.write_text(json.dumps([row | {"segmentation": {"size": [2, 3], "counts": "02100"}}]))
    found = read_detections(path, "segm")
    assert found.rles == [{"size": [2, 3], "counts": b"02100"}]
    assert found.boxes.tolist() == [[0, 0, 3, 2]]
    path.write_text(json.dumps([row | {"segmentation": [[1, 2, 3]]}]))
    with pytest.raises(UserError, match="detections.segm.json"):
        read_detections(path, "segm")


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["/a/best/seed0/test", "/a/vild/seed0/test"], ["best", "vild"]),
        (["/a/best/seed0", "/a/best/seed1"], ["seed0", "seed1"]),
        (["/a/best/test"], ["best"]),
        (["/a/b/c", "/a/c"], ["a/b", "a"]),
        (["/a/x/test", "/a/x/test"], ["x", "x"]),
    ],
)
def test_names_say_what_differs(folders, names):
    assert run_names([Path(folder) for folder in folders]) == names
