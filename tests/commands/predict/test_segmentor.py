"""`ovdistill predict` with a segmentor, an untrained one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.commands.predict.predict import PredictOptions, predict
from ovdistill.core.errors import UserError
from ovdistill.inference import text_model
from ovdistill.inference.segmentor import Segmentor
from ovdistill.segmentation.data.label_map import read_label_map
from ovdistill.vocabulary import Vocabulary

from ...stand_in import SEGMENTOR_CONFIG, TextsByLength, save_untrained_segmentor


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_untrained_segmentor(tmp_path_factory.mktemp("segmentor"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of two images and a damaged one."""
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        pixels = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    (tmp_path / "in" / "c.png").write_bytes(b"no image")
    return tmp_path / "in"


@pytest.fixture
def run(checkpoint, monkeypatch, tmp_path):
    monkeypatch.setattr(text_model, "build_teacher", lambda options, device: TextsByLength())

    def run(*files: object, **options: object) -> int:
        given = dict(
            images=tuple(map(str, files)), config=str(SEGMENTOR_CONFIG), checkpoint=str(checkpoint),
            device="cpu", text="sky, a road, striped star", background="none",
            out=str(tmp_path / "out"),
        )  # fmt: skip
        return predict(PredictOptions(**given | options))

    return run


def test_drawings_label_maps_and_one_file_about_all(run, folder, tmp_path, capsys):
    assert run(folder, batch_size=2) == 1
    printed = capsys.readouterr()
    assert "c.png" in printed.err and "1 of 3 images" in printed.err and "a.png: " in printed.out
    out = tmp_path / "out"
    assert Image.open(out / "a.png").width >= 640
    report = json.loads((out / "label_maps.json").read_text())
    assert [one["name"] for one in report["names"]] == ["sky", "a road", "striped star"]
    assert [Path(one["image"]).name for one in report["images"]] == ["a.png", "b.png"]
    first = report["images"][0]
    values = read_label_map(out / first["label_map"], (40, 60))
    for name in first["names"]:
        assert (values == name["label"]).mean() == pytest.approx(name["share"], abs=1e-6)
    assert report["warning"].startswith("RANDOM") and report["provenance"]["score_threshold"] == 0
    assert not list(out.glob("*/c.png"))


def test_only_what_is_wanted_is_written(run, folder, tmp_path):
    assert run(folder / "a.png", save=("json",)) == 0
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == {"label_maps.json", "a.png"}
    assert run(folder / "a.png", save=("image",), out=str(tmp_path / "drawn")) == 0
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["a.png"]


def test_a_threshold_and_the_names_of_the_training(run, folder, tmp_path):
    known = Vocabulary.encode(["sky", "a road"], TextsByLength(), ("{}",))
    known.save(tmp_path / "known.safetensors")
    file = str(tmp_path / "known.safetensors")
    cfg_options = (f"vocabulary={file}",)
    assert run(folder / "a.png", text=None, score_threshold=1.0, cfg_options=cfg_options) == 0
    report = json.loads((tmp_path / "out" / "label_maps.json").read_text())
    assert [one["name"] for one in report["names"]] == ["sky", "a road"]
    assert sum(one["share"] for one in report["images"][0]["names"]) < 0.1
    assert run(folder / "a.png", text=None, vocabulary=file, background="auto") == 0
    with pytest.raises(UserError, match="nothing to look for"):
        run(folder / "a.png", text=None)


def test_what_only_detectors_do_is_refused(run, folder):
    for options, message in (
        ({"save": ("image", "coco")}, "--save coco"),
        ({"max_dets": 3}, "--max-dets"),
        ({"thresholds": ("sky=0.5",)}, "--thresholds"),
    ):
        with pytest.raises(UserError, match=message):
            run(folder / "a.png", **options)


def test_what_was_found_before_an_error_is_kept(run, folder, tmp_path, monkeypatch):
    stream = Segmentor.stream

    def interrupted(self, *options):
        yield next(stream(self, *options))
        raise KeyboardInterrupt

    monkeypatch.setattr(Segmentor, "stream", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    report = json.loads((tmp_path / "out" / "label_maps.json").read_text())
    assert [Path(one["image"]).name for one in report["images"]] == ["a.png"]


def test_no_file_that_is_read_is_written_over(run, folder, tmp_path):
    names = tmp_path / "label_maps.json"
    names.write_text('["sky"]')
    with pytest.raises(UserError, match="label_maps.json would be written over"):
        run(folder, text=str(names), out=str(tmp_path))
    (tmp_path / "label_maps").mkdir()
    image = tmp_path / "label_maps" / "a.png"
    Image.open(folder / "a.png").save(image)
    before = image.read_bytes()
    with pytest.raises(UserError, match="written over"):
        run(image, out=str(tmp_path))
    assert image.read_bytes() == before
