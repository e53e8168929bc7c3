"""`ovdistill predict` and the demo, on an untrained detector."""

from __future__ import annotations

import io
import json
import runpy
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

from ovdistill.commands.predict.images import predict_images
from ovdistill.commands.predict.predict import Form, PredictOptions, read_thresholds, result_names
from ovdistill.core.assets import STUDENT
from ovdistill.core.errors import UserError
from ovdistill.inference import network
from ovdistill.inference import text_model as module
from ovdistill.inference.limits import Limits
from ovdistill.inference.pretrained import VOCABULARY
from ovdistill.inference.result_files import ResultFile, open_result_files
from ovdistill.inference.sources import find_sources
from ovdistill.vocabulary import Vocabulary

from ...inference.locked_folders import lock
from ...inference.video.clips import found_at
from ...stand_in import CONFIG, TextsByLength, save_untrained

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_untrained(tmp_path_factory.mktemp("student"))


@pytest.fixture
def image() -> np.ndarray:
    """(90, 150, 3) uint8, not square and not the size of the network's input."""
    return np.random.default_rng(0).integers(0, 255, (90, 150, 3), dtype=np.uint8)


def run_demo(monkeypatch, *arguments: object) -> int:
    """Run the demo in this process; return its exit code."""
    script = str(ROOT / "demo" / "image_demo.py")
    monkeypatch.setattr("sys.argv", [script, *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(script, run_name="__main__")
    return end.value.code


def test_the_demo_writes_an_image_and_json(monkeypatch, checkpoint, image, tmp_path, capsys):
    monkeypatch.setattr(module, "build_teacher", lambda options, device: TextsByLength())
    Image.fromarray(image).save(tmp_path / "a.png")
    options = ["--config", CONFIG, "--checkpoint", checkpoint, "--device", "cpu", "--max-dets", 3]
    code = run_demo(
        monkeypatch, tmp_path / "a.png", "--text", "red star, ring", "--score-threshold", 0,
        "-o", tmp_path / "out", *options,
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert code == 0 and "RANDOM TEACHER WEIGHTS" in printed and "a.png" in printed
    assert Image.open(tmp_path / "out" / "a.png").width == 150 * 5
    report = json.loads((tmp_path / "out" / "a.json").read_text())
    assert report["queries"] == ["red star", "ring"]
    assert (report["height"], report["width"]) == (90, 150)
    assert report["warning"].startswith("RANDOM TEACHER WEIGHTS")
    assert report["provenance"]["checkpoint"] == str(checkpoint)
    assert len(report["objects"]) == 3
    assert mask_utils.decode(report["objects"][0]["mask"]).shape == (90, 150)


def test_the_demo_takes_config_options(monkeypatch, checkpoint, image, tmp_path):
    monkeypatch.setattr(module, "build_teacher", lambda options, device: TextsByLength())
    Image.fromarray(image).save(tmp_path / "a.png")
    code = run_demo(
        monkeypatch, tmp_path / "a.png", "--text", "ring", "--score-threshold", 0,
        "-o", tmp_path / "o",
        "--config", CONFIG, "--checkpoint", checkpoint, "--device", "cpu",
        "--cfg-options", "model.test_cfg.rcnn.max_per_img=2",
    )  # fmt: skip
    report = json.loads((tmp_path / "o" / "a.json").read_text())
    assert code == 0 and 1 <= len(report["objects"]) <= 2
    assert report["provenance"]["options"] == {"model.test_cfg.rcnn.max_per_img": 2}


def test_the_demo_refuses_bad_input(monkeypatch, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"not an image")
    (tmp_path / "empty").mkdir()
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops" / "a.png").write_bytes(b"not an image")
    names = tmp_path / "data.yaml"
    names.write_text("names: [ring]")
    for arguments, message in (
        ([tmp_path / "missing.png"], "missing.png"),
        ([tmp_path / "empty"], "empty"),
        ([tmp_path / "bad.png", "--text", " , "], "no name"),
        ([tmp_path / "bad.png", "--config", CONFIG], "--config alone"),
        ([tmp_path / "bad.png", "--checkpoint", "c.pth"], "--checkpoint alone"),
        ([tmp_path / "bad.png", "-o", tmp_path], "bad.png would be written over"),
        (
            [tmp_path / "bad.png", "--text", names, "--save", "yolo", "-o", tmp_path],
            "data.yaml would be written over",
        ),
        (
            [tmp_path / "crops" / "a.png", "--save", "crops", "-o", tmp_path],
            "crops would be written over",
        ),
        ([tmp_path / "bad.png", "--text", "a", "--vocabulary", "v"], "give one of them"),
        ([tmp_path / "bad.png", "--score-threshold", "nan"], "--score-threshold nan"),
        ([tmp_path / "bad.png", "--max-dets", "0"], "--max-dets 0"),
    ):
        assert run_demo(monkeypatch, *arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and message in error


def test_a_damaged_image_does_not_stop_a_folder(monkeypatch, checkpoint, image, tmp_path, capsys):
    monkeypatch.setattr(module, "build_teacher", lambda options, device: TextsByLength())
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "a.bmp", "c\x1b[31m.png"):
        Image.fromarray(image).save(folder / name)
    (folder / "b\n.png").write_bytes(b"no image")
    options = ["--text", "ring", "--config", CONFIG, "--checkpoint", checkpoint, "--device", "cpu"]
    assert run_demo(monkeypatch, folder, *options, "-o", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert "1 of 4 images" in printed.err and "b\\n.png" in printed.err
    assert "\x1b" not in printed.out + printed.err
    assert len(list((tmp_path / "out").glob("*.png"))) == 3
    assert len(list((tmp_path / "out").glob("*.json"))) == 3


def test_a_folder_that_cannot_be_listed_is_named(image, tmp_path, monkeypatch, capsys):
    for name in ("a", "locked"):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.fromarray(image).save(tmp_path / "in" / name / "1.png")
    lock(monkeypatch)
    options = ["--text", "ring", "--device", "cpu", "-o", tmp_path / "out"]
    assert run_demo(monkeypatch, tmp_path / "in", tmp_path / "in", *options) == 1
    printed = capsys.readouterr()
    assert [line for line in printed.err.splitlines() if "locked" in line] == [
        f"  {tmp_path / 'in' / 'locked'}"
    ]
    assert "1.png: " in printed.out and (tmp_path / "out" / "1.json").is_file()
    assert run_demo(monkeypatch, tmp_path / "in" / "a", *options) == 0
    (tmp_path / "in" / "a" / "1.png").unlink()
    assert run_demo(monkeypatch, tmp_path / "in", *options) == 2
    assert "locked cannot be listed" in capsys.readouterr().err


def test_results_of_images_are_no_files_about_all_images(image, tmp_path):
    for name in ("coco.png", "label_studio.png", "data.png"):
        Image.fromarray(image).save(tmp_path / name)
    for save, expected in (
        (("json", "coco", "label-studio", "yolo"), ["coco_png", "data", "label_studio_png"]),
        (("json",), ["coco", "data", "label_studio"]),
    ):
        options = PredictOptions(save=save, out=str(tmp_path))  # no drawing is written here
        assert result_names(options, find_sources(tmp_path))[0] == expected


def test_what_was_found_before_ctrl_c_is_kept(image, tmp_path, capsys):
    class Interrupted:
        queries = ("star",)

        def stream(self, sources, limits, batch_size):
            yield sources[0], replace(found_at((0, 0, 9, 9)), image=image)
            raise KeyboardInterrupt

    files = open_result_files(["coco", "label-studio"], tmp_path, {})
    with pytest.raises(KeyboardInterrupt):
        predict_images(Interrupted(), Limits(), find_sources([image] * 2), ["a", "b"], files, 1)
    assert len(json.loads((tmp_path / "coco.json").read_text())["annotations"]) == 1
    assert len(json.loads((tmp_path / "label_studio.json").read_text())) == 1
    assert f"wrote {tmp_path}/coco.json" in capsys.readouterr().out


def test_an_image_is_looked_at_while_the_one_before_is_written(image, tmp_path, capsys):
    looked = threading.Event()

    class TwoImages:
        queries = ("star",)

        def stream(self, sources, limits, batch_size):
            yield sources[0], replace(found_at((0, 0, 9, 9)), image=image)
            looked.set()
            yield sources[1], replace(found_at((0, 0, 9, 9)), image=image)

    class Written(ResultFile):
        def add(self, found, name):
            assert looked.wait(20)

    files = [Written(tmp_path, {})]
    assert predict_images(TwoImages(), Limits(), find_sources([image] * 2), "ab", files, 1) == []
    printed = capsys.readouterr().out
    assert printed.index("image_0: ") < printed.index("image_1: ") < printed.index("in 2 images")


def test_a_single_damaged_image_is_an_error_before_the_detector_is_built(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(network, "build_detector", lambda *_: pytest.fail("built"))
    (tmp_path / "a.png").write_bytes(b"<html>not found")
    assert run_demo(monkeypatch, tmp_path / "a.png", "-o", tmp_path / "out") == 2
    assert "a.png" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_many_images_in_every_form(monkeypatch, checkpoint, image, tmp_path, capsys):
    monkeypatch.setattr(module, "build_teacher", lambda options, device: TextsByLength())
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/a.png"):
        Image.fromarray(image).save(tmp_path / "in" / name)
    (tmp_path / "names.yaml").write_text("names: {red star: [star], ring: }\nnegatives: [moon]")
    code = run_demo(
        monkeypatch, tmp_path / "in" / "*.png", tmp_path / "in" / "sub",
        "--text", tmp_path / "names.yaml", "--score-threshold", 0, "--max-dets", 2,
        "--save", *get_args(Form), "--batch-size", 2, "-o", tmp_path / "out",
        "--config", CONFIG, "--checkpoint", checkpoint, "--device", "cpu",
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert code == 0 and "in 2 images" in printed
    out = tmp_path / "out"
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {"a.png", "a.json", "a.xml", "labels/a.txt", "data.yaml", "coco.json"} <= written
    assert sum(name.startswith("crops/") for name in written) == 4
    coco = json.loads((out / "coco.json").read_text())
    assert [c["name"] for c in coco["categories"]] == ["red star", "ring"]
    assert len(coco["images"]) == 2 and len(coco["annotations"]) == 4
    assert len(json.loads((out / "label_studio.json").read_text())) == 2


def test_bytes_on_standard_input_and_a_published_folder(monkeypatch, image, tmp_path, capsys):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.getvalue())))
    monkeypatch.setattr(module, "build_teacher", lambda options, device: TextsByLength())
    monkeypatch.setattr(TextsByLength, "embed_dim", 18)
    monkeypatch.setattr(TextsByLength, "id", Vocabulary.load(STUDENT / VOCABULARY).teacher)
    code = run_demo(monkeypatch, "-", "--text", "moon", "--model", STUDENT, "-o", tmp_path)
    assert code == 0 and json.loads((tmp_path / "stdin.json").read_text())["image"] == "stdin"
    assert run_demo(monkeypatch, "-", "--model", STUDENT, "--config", CONFIG) == 2
    assert run_demo(monkeypatch, "-", "--model", tmp_path / "none") == 2


def test_thresholds_of_names_are_read():
    assert read_thresholds(["red star=0.5", "a=b=1"]) == {"red star": 0.5, "a=b": 1.0}
    with pytest.raises(UserError, match="red star"):
        read_thresholds(["red star"])
