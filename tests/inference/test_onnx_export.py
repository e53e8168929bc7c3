"""An exported detector finds what the detector finds, for any images and, where asked, any names.

The export takes a minute, so these tests share one file. It has texts as an input; ``fixed`` is
the same file with the names baked in.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from ovdistill import Detector
from ovdistill.core.assets import SAMPLES, STUDENT
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.agreement import agreement, together
from ovdistill.inference.onnx_detector import OnnxDetector
from ovdistill.inference.onnx_export import export_onnx
from ovdistill.inference.onnx_header import INPUTS

pytestmark = pytest.mark.slow  # the export takes a minute
TEXT = "ring, star, heart, cross, circle, square, triangle, arrow"
LEAST = 0.05


@pytest.fixture(scope="module")
def detector() -> Detector:
    detector = Detector.from_pretrained("ovshapes", device="cpu")
    detector.set_vocabulary(TEXT)
    return detector


@pytest.fixture(scope="module")
def path(detector, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export_onnx(detector, path, texts_as_input=True, origin={"config": "a config"})
    return path


@pytest.fixture(scope="module")
def exported(path) -> OnnxDetector:
    return OnnxDetector(path, threads=1)


def images() -> list[np.ndarray]:
    """Return the samples, each in several sizes and shapes."""
    sizes = [(128, 128), (90, 120), (301, 300), (200, 90), (9, 14)]
    return [
        np.asarray(Image.open(file).convert("RGB").resize(size))
        for file in sorted(SAMPLES.glob("*.png"))
        for size in sizes
    ]


def compare(exported: OnnxDetector, detector: Detector, batch_size: int = 1):
    found = exported.predict(images(), LEAST / 2, batch_size=batch_size)
    expected = detector.predict(images(), score_threshold=LEAST / 2, batch_size=batch_size)
    return together(
        agreement(one, other, LEAST) for one, other in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_same_detections(exported, detector, batch_size):
    found = compare(exported, detector, batch_size)
    assert found.detections > 60 and found.is_close, found


def test_all_fields(exported, detector):
    image = images()[0]
    found, expected = exported.predict(image), detector.predict(image)
    assert found.names == expected.names and found.runner_up_names == expected.runner_up_names
    assert found.queries == expected.queries and found.image_size == expected.image_size
    np.testing.assert_allclose(found.embeddings, expected.embeddings, atol=1e-4)
    np.testing.assert_allclose(found.runner_up_scores, expected.runner_up_scores, atol=1e-3)
    assert (found.image == image).all()
    none, other = (one.predict(image, score_threshold=1.0) for one in (exported, detector))
    assert none.nearest[0] == other.nearest[0] == found.names[0]
    assert none.nearest[1] == pytest.approx(other.nearest[1], abs=1e-3)


def test_other_names_can_be_set(path, detector, tmp_path):
    exported = OnnxDetector(path, threads=1)
    names = detector.encode_texts(["green star", "outlined cross", "solid square"])
    names.save(tmp_path / "names.safetensors")
    exported.set_texts(tmp_path / "names.safetensors")
    assert exported.queries == names.names
    other = Detector.from_pretrained("ovshapes", device="cpu")
    other.set_vocabulary(names)
    assert compare(exported, other).is_close

    exported.set_texts(
        tmp_path / "names.safetensors", background=STUDENT / "vocabulary.safetensors"
    )
    assert exported.queries == names.names and len(exported.header.names) > 10
    replace(names, teacher=TeacherId("another", "0")).save(tmp_path / "foreign.safetensors")
    with pytest.raises(UserError, match="another"):
        exported.set_texts(tmp_path / "foreign.safetensors")
    wide = np.eye(99, 99, dtype=np.float32)[:2]
    type(names).from_array(wide, ["a", "b"]).save(tmp_path / "wide.safetensors")
    with pytest.raises(UserError, match="99"):
        exported.set_texts(tmp_path / "wide.safetensors")


def test_names_that_are_baked_in(path, exported, tmp_path):
    model = onnx.load(path)
    inputs = [value for value in model.graph.input if value.name in INPUTS]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    header = replace(exported.header, texts_as_input=False)
    onnx.helper.set_model_props(model, header.to_metadata())
    onnx.save(model, tmp_path / "fixed.onnx")
    fixed = OnnxDetector(tmp_path / "fixed.onnx", threads=1)
    for image in images():
        assert agreement(fixed.predict(image), exported.predict(image), LEAST).is_close


def test_the_file_says_what_it_is(path, exported, detector):
    header = exported.header
    assert header.queries == detector.queries and len(header.names) > len(header.queries)
    assert len(header.phrases) > len(header.names)  # the kinds of rings
    assert header.calibration.slope == detector.calibration.slope
    assert header.provenance["config"] == "a config" and header.provenance["normalization"]
    onnx.checker.check_model(str(path))
    shapes = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
              for v in onnx.load(path).graph.input}  # fmt: skip
    assert all(isinstance(side, str) for side in shapes["images"][:3])
