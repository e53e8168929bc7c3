"""OVInferencer and the demo on an untrained detector: plumbing, geometry, bad input."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as mask_utils
from safetensors.torch import save_file

from ovdistill.core.errors import UserError
from ovdistill.inference import inferencer as module
from ovdistill.inference.inferencer import OVInferencer
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "vild_r18_shapes.py"


class WordsByLength(torch.nn.Module):
    """A stand-in for a teacher: a text's embedding is random, seeded by its length."""

    dim, id, weights_hash = 16, "by-length:random", "none"

    def encode_text(self, texts: list[str], batch_size: int = 256) -> torch.Tensor:
        rows = [
            torch.randn(self.dim, generator=torch.Generator().manual_seed(len(text)))
            for text in texts
        ]
        return torch.nn.functional.normalize(torch.stack(rows), dim=-1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    vocabulary = Vocabulary.encode(["any"], WordsByLength(), ("{}",))
    model = build_detector(load_config(CONFIG), vocabulary=vocabulary)
    path = tmp_path_factory.mktemp("student") / "student.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def inferencer(checkpoint) -> OVInferencer:
    return OVInferencer(CONFIG, checkpoint, "cpu", WordsByLength())


@pytest.fixture
def image() -> np.ndarray:
    """(90, 150, 3) uint8, not square and not the size of the network's input."""
    return np.random.default_rng(0).integers(0, 255, (90, 150, 3), dtype=np.uint8)


def test_detections_are_in_pixels_of_the_original(inferencer, image):
    inferencer.set_text("star, hexagon")
    assert len(inferencer(image, score_threshold=0, max_dets=7)) == 7
    found = inferencer(image, score_threshold=0)
    assert found.masks.shape == (len(found), 90, 150)
    assert found.boxes[:, 0::2].max() > 130  # the network saw 128 px of width
    assert (found.boxes >= 0).all() and (found.boxes <= [150, 90, 150, 90]).all()
    assert (np.diff(found.scores) <= 0).all()
    assert [("star", "hexagon")[label] for label in found.labels] == list(found.names)


def test_words_are_replaced_and_background_words_are_not_reported(inferencer, image):
    inferencer.set_text(["ring"])
    assert set(inferencer(image, 0).names) == {"ring"}
    vocabulary = inferencer.set_text("cross", background="a moon, cross")
    assert vocabulary.names == ("cross", "a moon")
    assert inferencer.queries == ("cross",)
    assert set(inferencer(image, 0).names) <= {"cross"}


def test_a_batch_gives_what_single_images_give(inferencer, image, tmp_path):
    inferencer.set_text("star, hexagon")
    for i, image in enumerate((image, image[::-1])):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    together = dict(inferencer.predict_folder(tmp_path, 0, batch_size=2))
    assert [path.name for path in together] == ["0.png", "1.png"]
    for path, found in together.items():
        alone = inferencer(path, 0)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_array_equal(found.labels, alone.labels)


def test_bad_input_is_named(checkpoint, image):
    with pytest.raises(UserError, match="a config alone"):
        OVInferencer(CONFIG)
    with pytest.raises(UserError, match="no device 'gpuu'"):
        OVInferencer(CONFIG, checkpoint, "gpuu")
    fresh = OVInferencer(CONFIG, checkpoint, "cpu", WordsByLength())
    with pytest.raises(UserError, match="set_text"):
        fresh(image)
    with pytest.raises(UserError, match="no query"):
        fresh.set_text(" , ")
    fresh.set_text("star")
    with pytest.raises(UserError, match="uint8 RGB"):
        fresh(image[..., 0])
    wide = Vocabulary.from_array(np.eye(2, 24, dtype=np.float32), ["a", "b"])
    with pytest.raises(UserError, match="width"):
        fresh.set_vocabulary(wide)


def run_demo(monkeypatch, *arguments: str | Path) -> int:
    """Runs the demo in this process; its exit code."""
    script = str(ROOT / "demo" / "image_demo.py")
    monkeypatch.setattr("sys.argv", [script, *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(script, run_name="__main__")
    return end.value.code


def test_the_demo_writes_an_image_and_json(monkeypatch, checkpoint, image, tmp_path, capsys):
    monkeypatch.setattr(module, "build_teacher", lambda options, device: WordsByLength())
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
    monkeypatch.setattr(module, "build_teacher", lambda options, device: WordsByLength())
    Image.fromarray(image).save(tmp_path / "a.png")
    code = run_demo(
        monkeypatch, tmp_path / "a.png", "--text", "ring", "--score-threshold", 0,
        "-o", tmp_path / "o",
        "--config", CONFIG, "--checkpoint", checkpoint, "--device", "cpu",
        "--cfg-options", "model.test_cfg.rcnn.max_per_img=2",
    )  # fmt: skip
    report = json.loads((tmp_path / "o" / "a.json").read_text())
    assert code == 0 and len(report["objects"]) == 2
    assert report["provenance"]["options"] == {"model.test_cfg.rcnn.max_per_img": 2}


def test_the_demo_refuses_bad_input(monkeypatch, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"not an image")
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ([tmp_path / "missing.png"], "no image or directory"),
        ([tmp_path / "empty"], "no images in"),
        ([tmp_path / "bad.png", "--text", " , "], "no query"),
        ([tmp_path / "bad.png", "--config", CONFIG], "a config alone"),
        ([tmp_path / "bad.png", "-o", tmp_path], "would be written over"),
        ([tmp_path / "bad.png", "--text", "a", "--vocabulary", "v"], "give one of them"),
    ):
        assert run_demo(monkeypatch, *arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and message in error
