"""`ovdistill test --results`: detections of any system, scored without a detector."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ovdistill.commands import main
from ovdistill.core.assets import STUDENT
from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file, sha256_of

from ...batches import make_vocabulary
from ...evaluation.random_detections import random_world, run
from ...running import run as run_tool

CLASSES, NOVEL = 7, {2, 5}
NOVEL_NAMES = "c2, c5"


def score(out: Path, *words: object) -> dict[str, float]:
    main.run(["test", "-o", str(out), *map(str, words)])
    return json.loads((out / "metrics.json").read_text())


def words_of(folder: Path, protocol: str) -> list[object]:
    files = [folder / f"detections.{metric}.json" for metric in ("bbox", "segm")]
    return ["--results", *files, "--protocol", protocol]


@pytest.fixture(scope="module", params=["coco", "lvis"])
def dumped(request, tmp_path_factory) -> tuple[Path, str, dict[str, Any]]:
    """Folder, protocol and figures of an OVMetric that has written its detections."""
    folder = tmp_path_factory.mktemp(request.param)
    # more detections than count in the LVIS protocol
    truth, samples = random_world(folder, images=5, classes=CLASSES, clutter=400)
    prefix = str(folder / "detections")
    options = dict(protocol=request.param, outfile_prefix=prefix)
    return folder, request.param, run(truth, samples, CLASSES, NOVEL, **options)


def test_a_dump_has_the_figures_of_the_metric_that_wrote_it(dumped, tmp_path):
    folder, protocol, figures = dumped
    words = words_of(folder, protocol)
    out = score(tmp_path, *words, "--annotations", folder / "truth.json", "--novel", NOVEL_NAMES)
    expected = {key: value for key, value in figures.items() if key != "metric"}
    assert out == expected  # to the last bit
    assert 0 < out["bbox/AP_novel"] < 100 and 0 < out["segm/AP_base"] < 100
    classes = json.loads((tmp_path / "per_category.json").read_text())
    assert classes == figures["metric"].per_category


def test_a_dump_has_as_many_detections_as_the_protocol_counts(dumped):
    folder, protocol, _ = dumped
    rows = json.loads((folder / "detections.bbox.json").read_text())
    counts = {i: sum(row["image_id"] == i for row in rows) for i in range(1, 6)}
    assert set(counts.values()) == ({300} if protocol == "lvis" else {406})


def test_the_files_that_are_written(dumped, tmp_path, capsys):
    folder, protocol, _ = dumped
    truth, results = folder / "truth.json", folder / "detections.bbox.json"
    words = ["--protocol", protocol, "--annotations", truth, "--novel", NOVEL_NAMES]
    score(tmp_path, "--results", results, *words)
    assert "| bbox |" in (tmp_path / "metrics.md").read_text()
    assert "AP_novel" in capsys.readouterr().out
    origin = json.loads((tmp_path / "provenance.json").read_text())
    assert origin["results"] == {str(results): sha256_of(results)}
    assert origin["hashes"] == {"ann_file": hash_file(truth)} and origin["ann_file"] == str(truth)
    assert origin["evaluator"].startswith("hotcoco") and origin["protocol"] == protocol
    assert origin["checkpoint"] is origin["config"] is None and origin["image_ids"] is None


@pytest.mark.parametrize("metrics", [("bbox", "segm"), ("segm",)])
def test_a_report_of_any_system(dumped, metrics, tmp_path):
    """The detections that are written again are those that were scored, and can be reported."""
    folder, protocol, _ = dumped
    paths = [folder / f"detections.{metric}.json" for metric in metrics]
    words = ["--protocol", protocol, "--annotations", folder / "truth.json", "--dump"]
    out = score(tmp_path / "run", "--results", *paths, *words)
    for path in paths:
        assert json.loads((tmp_path / "run" / path.name).read_text()) == json.loads(
            path.read_text()
        )
    main.run(["report", str(tmp_path / "run"), "--gallery", "0", "-o", str(tmp_path / "page")])
    (run,) = json.loads((tmp_path / "page" / "report.json").read_text())["runs"]
    assert run["metrics"] == out and len(run["classes"]) == CLASSES


def test_a_vocabulary_says_which_classes_compete(dumped, tmp_path):
    folder, protocol, _ = dumped
    replace(make_vocabulary(2, novel=1), names=("c3", "c2")).save(tmp_path / "v.safetensors")
    words = ["--annotations", folder / "truth.json", "--vocabulary", tmp_path / "v.safetensors"]
    out = score(tmp_path, *words_of(folder, protocol), *words)
    rows = json.loads((tmp_path / "per_category.json").read_text())
    assert [(row["id"], row["group"]) for row in rows] == [(2, "novel"), (3, "base")]
    assert out["bbox/AP_novel"] == rows[0]["bbox"]["AP"]


def test_a_report_leaves_out_categories_that_were_not_evaluated(dumped, tmp_path):
    """In the LVIS protocol they take their places among the best of an image before that."""
    folder, protocol, _ = dumped
    replace(make_vocabulary(2, novel=1), names=("c3", "c2")).save(tmp_path / "v.safetensors")
    words = ["--annotations", folder / "truth.json", "--vocabulary", tmp_path / "v.safetensors"]
    # all detections, so that the report has to find those that count in the LVIS protocol
    everything = tmp_path / "run" / "detections.bbox.json"
    rows = [
        row | {"score": row["score"] / 2, "category_id": category}
        for row in json.loads((folder / "detections.bbox.json").read_text())
        for category in (row["category_id"], 2, 3)
    ]
    everything.parent.mkdir()
    everything.write_text(json.dumps(rows))
    out = score(everything.parent, "--results", everything, "--protocol", protocol, *words)
    main.run(["report", str(everything.parent), "--gallery", "0", "-o", str(tmp_path / "page")])
    (run,) = json.loads((tmp_path / "page" / "report.json").read_text())["runs"]
    assert run["metrics"] == out and [row["name"] for row in run["classes"]] == ["c2", "c3"]
    others = [row for row in rows if row["category_id"] not in (2, 3)]
    assert 0 < run["left_out"] <= len(others)
    assert (run["left_out"] == len(others)) == (protocol == "coco")
    for name in ("report.md", "report.html"):
        assert f"{run['left_out']:,} detections" in (tmp_path / "page" / name).read_text()


def test_the_command_that_scores_results_again(dumped, tmp_path):
    """It is the one that a report suggests where the detections are of another test."""
    folder, protocol, _ = dumped
    results = folder / "detections.bbox.json"
    words = ["--results", results, "--annotations", folder / "truth.json", "--novel", NOVEL_NAMES]
    words += ["--protocol", protocol, "--images-with-results"]
    out = score(tmp_path / "run", *words)
    with pytest.raises(UserError) as error:
        main.run(["report", str(tmp_path / "run"), "--gallery", "0", "-o", str(tmp_path / "page")])
    _, command, _ = str(error.value).split("`")
    assert not main.run(shlex.split(command)[1:])
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == out
    main.run(["report", str(tmp_path / "run"), "--gallery", "0", "-o", str(tmp_path / "page")])


def test_a_dump_does_not_replace_the_results(dumped, tmp_path):
    folder, protocol, _ = dumped
    own = tmp_path / "detections.bbox.json"
    own.write_bytes((folder / own.name).read_bytes())
    before = sha256_of(own)
    words = ["--results", own, "--annotations", folder / "truth.json", "--protocol", protocol]
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UserError, match=r"over .*detections\.bbox\.json of --results"):
        score(tmp_path / "link", *words, "--dump")
    assert not (tmp_path / "metrics.json").exists() and sha256_of(own) == before
    score(tmp_path, *words)


def test_rare_classes_of_lvis_are_novel_by_default(dumped, tmp_path):
    folder = dumped[0]
    results, truth = folder / "detections.bbox.json", folder / "truth.json"
    out = score(tmp_path, "--results", results, "--annotations", truth)
    assert out["bbox/AP_novel"] == out["bbox/APr"]
    content = json.loads(truth.read_text())
    for image in content["images"]:
        del image["neg_category_ids"]
    (tmp_path / "coco.json").write_text(json.dumps(content))
    out = score(tmp_path, "--results", results, "--annotations", tmp_path / "coco.json")
    assert out["bbox/AP_novel"] == -1 and "bbox/APr" not in out and "bbox/AR100" in out


def test_images_without_a_detection_count_unless_told_otherwise(tmp_path, caplog):
    truth, _ = random_world(tmp_path, images=3, classes=3, clutter=0)
    content = json.loads(truth.read_text())
    rows = [
        {"score": 0.9, **{key: record[key] for key in ("image_id", "category_id", "bbox")}}
        for record in content["annotations"]
        if record["image_id"] == 1
    ]
    (tmp_path / "r.json").write_text(json.dumps(rows))
    words = ["--results", tmp_path / "r.json", "--annotations", truth, "--protocol", "coco"]
    assert score(tmp_path, *words)["bbox/AP"] < 60
    assert "2 of the 3 images" in caplog.text
    assert score(tmp_path, *words, "--images-with-results")["bbox/AP"] == pytest.approx(100)
    (tmp_path / "r.json").write_text("[]")
    with pytest.raises(UserError, match=r"--images-with-results, but .*r\.json has no detection"):
        score(tmp_path, *words, "--images-with-results")


def test_it_starts_without_torch_and_mm(dumped, tmp_path):
    folder, protocol, _ = dumped
    words = [*words_of(folder, protocol), "--annotations", folder / "truth.json", "-o", tmp_path]
    code = (
        "import sys; from ovdistill.commands.main import run; "
        f"run({['test', *map(str, words)]}); "
        "print([name for name in ('torch', 'mmcv', 'mmengine', 'mmdet') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


BOTH = ["--vocabulary", "FILE", "--novel", "a"]
BAD = [
    (["CONFIG"], "neither of CHECKPOINT and --results"),
    ([], "neither of CHECKPOINT and --results"),
    (["CONFIG", "FILE", "--results", "FILE"], "both of CHECKPOINT and --results"),
    (["--results", "FILE"], "neither of CONFIG and --annotations"),
    (["CONFIG", "--results", "FILE", "--annotations", "FILE"], "both of CONFIG and --annotations"),
    (["CONFIG", "--results", "FILE", "--novel", "a"], "--novel"),
    (["CONFIG", "FILE", "--annotations", "FILE"], "--annotations without --results"),
    (["CONFIG", "FILE", "--images-with-results"], "--images-with-results without"),
    (["CONFIG", "--results", "FILE", "--show", "2"], "--show"),
    (["CONFIG", "--results", "none.json"], "none.json"),
    (["--results", "FILE", "--annotations", "none.json"], "none.json"),
    (["--results", "FILE", "--annotations", "FILE", *BOTH], "--vocabulary and --novel"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=range(len(BAD)))
def test_options_that_do_not_go_together(words, message, tmp_path):
    path = tmp_path / "file.json"
    path.write_text("[]")
    known = {"CONFIG": "vild_r18_shapes", "FILE": str(path)}
    with pytest.raises(UserError, match=message):
        main.run(["test", *(known.get(word, word) for word in words)])


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["coco", "lvis"])
def test_the_shipped_detector_and_its_dump(protocol, tmp_path):
    data, first = tmp_path / "data", tmp_path / "test"
    drawn = ("--train", 4, "--val", 4, "--test", 4, "--workers", 1)
    run_tool("-m", "ovdistill", "make-ovshapes", "--root", data, *drawn)
    options = ("--cfg-options", f"data_root={data}", f"test_evaluator.0.protocol={protocol}")
    recipe = "best_r18_shapes"
    weights = STUDENT / "model.safetensors"
    run_tool("-m", "ovdistill", "test", recipe, weights, "--dump", "-o", first, *options)
    expected = json.loads((first / "metrics.json").read_text())
    assert expected["bbox/AP"] > 50
    of_regions = {key for key in expected if key.startswith("proposal/")}
    expected = {key: value for key, value in expected.items() if key not in of_regions}
    files = words_of(first, protocol)
    run_tool("-m", "ovdistill", "test", recipe, *files[:3], "-o", tmp_path / "config", *options)
    assert json.loads((tmp_path / "config" / "metrics.json").read_text()) == expected
    truth = data / "annotations" / "instances_test.json"
    assert score(tmp_path / "file", *files, "--annotations", truth, "--novel", "shape") == expected
