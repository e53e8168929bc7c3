"""OnnxDetector: what it makes of a graph's results, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.onnx_detector import OnnxDetector
from ovdistill.inference.onnx_header import KEY
from ovdistill.vocabulary import Vocabulary

from .onnx_files import HEADER, write_onnx

IMAGE = np.zeros((64, 128, 3), dtype=np.uint8)  # twice the network input
WITHOUT_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent}:
            raise ModuleNotFoundError(f"no {{name}}", name=name)

sys.meta_path.insert(0, Absent())
from PIL import Image
from ovdistill import OnnxDetector
detector = OnnxDetector(sys.argv[1])
found = detector.predict(Image.new("RGB", (128, 64)))
found.save(sys.argv[2])
print(len(found), found)
"""
ABSENT = (
    *("torch", "torchvision", "mmdet", "mmengine", "mmcv", "cv2", "open_clip", "pycocotools"),
    *("safetensors", "scipy", "huggingface_hub", "hotcoco", "yaml", "rich", "tqdm"),
)


@pytest.fixture
def detector(tmp_path):
    return OnnxDetector(write_onnx(tmp_path / "model.onnx"))


def test_fields(detector):
    found = detector.predict(IMAGE)
    assert found.names == ("star", "ring") and found.queries == ("ring", "star")
    np.testing.assert_allclose(found.boxes, [[8, 4, 40, 36], [60, 10, 80, 40]])
    assert found.runner_up_names == ("cross", None) and found.embeddings.shape == (2, 4)
    assert found.masks.shape == (2, 64, 128) and found.masks[0, 4:36, 8:40].all()
    assert found.image_size == (64, 128) and found.nearest is None
    assert detector.predict(IMAGE, 0.95).names == ()
    assert detector.predict(IMAGE, {"ring": 0.5, "star": 0.1}).names == ("star",)
    assert detector.predict(IMAGE, max_dets=1).names == ("star",)


def test_a_batch_of_images_of_different_sizes(detector):
    first, second = detector.predict([IMAGE, IMAGE[:40, :40]], batch_size=2)
    assert len(first) == 2 and len(second) == 0
    assert second.nearest == ("ring", pytest.approx(0.2)) and second.masks.shape == (0, 40, 40)


def test_very_large_images_have_small_masks(detector):
    found = detector.predict(np.zeros((5000, 10000, 3), dtype=np.uint8))
    assert found.image_size == (5000, 10000) and found.masks[0].size < 30_000_000
    np.testing.assert_allclose(found.boxes[0] / 10000 * 64, [4, 2, 20, 18], atol=0.01)


def test_calibrated_scores(tmp_path):
    curve = Calibration(2.0, -1.0)
    header = replace(HEADER, calibration=curve).to_metadata()
    found = OnnxDetector(write_onnx(tmp_path / "model.onnx", header)).predict(IMAGE, 0.0)
    np.testing.assert_allclose(found.scores, curve.probabilities(np.array([0.9, 0.4])), atol=1e-6)


def test_it_runs_and_saves_json_without_torch(tmp_path):
    path = write_onnx(tmp_path / "model.onnx")
    code = WITHOUT_TORCH.format(absent=ABSENT)
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "found.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith("2 2 detections"), done.stderr
    records = json.loads((tmp_path / "found.json").read_text())["objects"]
    assert [record["name"] for record in records] == ["star", "ring"]
    assert records[0]["mask"]["size"] == [64, 128]


def test_files_that_are_no_exported_detector(tmp_path):
    with pytest.raises(UserError, match="no file"):
        OnnxDetector(tmp_path / "missing.onnx")
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(UserError, match="no ONNX file"):
        OnnxDetector(tmp_path / "text.onnx")
    with pytest.raises(UserError, match="ovdistill export"):
        OnnxDetector(write_onnx(tmp_path / "foreign.onnx", {"author": "somebody"}))
    with pytest.raises(UserError, match="threads"):
        OnnxDetector(write_onnx(tmp_path / "model.onnx"), threads=0)
    with pytest.raises(UserError, match="NoProvider"):
        OnnxDetector(tmp_path / "model.onnx", providers=["NoProvider"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "ovdistill-onnx-0"),
        ("names", ["ring", "ring", "star"]),
        ("names", "ring"),
        ("wanted", 4),
        ("wanted", 0),
        ("scale", [64, 0]),
        ("scale", [64]),
        ("divisor", 10**9),
        ("mask_threshold", 2),
        ("calibration", {"slope": -1, "intercept": 0}),
        ("calibration", {"slope": 1}),
        ("keep_ratio", 1),
    ],
)
def test_damaged_metadata(tmp_path, name, value):
    content = json.loads(HEADER.to_metadata()[KEY]) | {name: value}
    with pytest.raises(UserError, match=r"model.onnx"):
        OnnxDetector(write_onnx(tmp_path / "model.onnx", {KEY: json.dumps(content)}))


def test_metadata_that_are_no_json(tmp_path):
    with pytest.raises(UserError, match="JSON"):
        OnnxDetector(write_onnx(tmp_path / "model.onnx", {KEY: "{"}))
    with pytest.raises(UserError, match="format"):
        OnnxDetector(write_onnx(tmp_path / "model.onnx", {KEY: "[]"}))


def test_a_graph_without_the_inputs_that_its_header_names(tmp_path):
    header = replace(HEADER, texts_as_input=True).to_metadata()
    with pytest.raises(UserError, match="texts"):
        OnnxDetector(write_onnx(tmp_path / "model.onnx", header))


@pytest.mark.parametrize(
    "results",
    [
        {"scores": np.array([np.nan, 0.4], dtype=np.float32)},
        {"labels": np.array([0, 3], dtype=np.int64)},
        {"runner_up": np.array([-2, 0], dtype=np.int64)},
    ],
)
def test_results_that_make_no_sense(tmp_path, results):
    with pytest.raises(UserError, match="returned"):
        OnnxDetector(write_onnx(tmp_path / "model.onnx", **results)).predict(IMAGE)


def test_a_name_does_not_compete_with_itself_in_another_spelling(detector, tmp_path):
    detector.header = replace(HEADER, texts_as_input=True)
    for file, names in (("a", ["Red_Star", "ring"]), ("b", ["ring.", "cross", "red star"])):
        own = Vocabulary.from_array(
            np.eye(4, dtype=np.float32)[: len(names)], names, HEADER.teacher
        )
        own.save(tmp_path / file)
    detector.set_texts(tmp_path / "a", background=tmp_path / "b")
    assert detector.header.names == ("Red_Star", "ring", "cross")
    assert detector.queries == ("Red_Star", "ring")


def test_names_that_are_fixed(detector, tmp_path):
    with pytest.raises(UserError, match="texts-as-input"):
        detector.set_texts(tmp_path / "vocabulary.safetensors")
