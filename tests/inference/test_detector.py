"""OVInferencer on an untrained detector: plumbing, geometry, bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.inference import inferencer as module
from ovdistill.inference.inferencer import OVInferencer
from ovdistill.inference.large_images import reduce_image
from ovdistill.vocabulary import Vocabulary

from ..stand_in import CONFIG, TextsByLength, save_untrained


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_untrained(tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module")
def inferencer(checkpoint) -> OVInferencer:
    return OVInferencer(CONFIG, checkpoint, "cpu", TextsByLength())


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


def test_texts_are_replaced_and_background_texts_are_not_reported(inferencer, image):
    inferencer.set_text(["ring"])
    assert set(inferencer(image, 0).names) == {"ring"}
    vocabulary = inferencer.set_text("cross", background="a moon, cross")
    assert vocabulary.names == ("cross", "a moon")
    assert inferencer.queries == ("cross",)
    assert set(inferencer(image, 0).names) <= {"cross"}


def test_a_batch_gives_what_single_images_give(inferencer, image, tmp_path):
    inferencer.set_text("star, hexagon")
    for i, pixels in enumerate((image, image[::-1])):
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    together = dict(inferencer.predict_folder(tmp_path, 0, batch_size=2))
    assert [path.name for path in together] == ["0.png", "1.png"]
    for path, found in together.items():
        alone = inferencer(path, 0)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_array_equal(found.labels, alone.labels)


def test_bad_input_is_named(checkpoint, image):
    with pytest.raises(UserError, match="a config alone"):
        OVInferencer(CONFIG)
    with pytest.raises(UserError, match="a checkpoint alone"):
        OVInferencer(checkpoint=checkpoint)
    with pytest.raises(UserError, match="no device 'gpuu'"):
        OVInferencer(CONFIG, checkpoint, "gpuu")
    fresh = OVInferencer(CONFIG, checkpoint, "cpu", TextsByLength())
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


def test_overrides_take_the_place_of_the_configs_values(checkpoint, image):
    overrides = {"model.test_cfg.rcnn.max_per_img": 2}
    inferencer = OVInferencer(CONFIG, checkpoint, "cpu", TextsByLength(), overrides)
    inferencer.set_text("ring")
    assert 1 <= len(inferencer(image, score_threshold=0)) <= 2


def test_the_shipped_student_is_the_default(image):
    inferencer = OVInferencer(device="cpu", teacher=TextsByLength())
    assert inferencer.checkpoint.name == "student.safetensors"
    assert inferencer.config.teacher.model == "ovshapes"


@pytest.mark.parametrize("size", [(4000, 3), (1, 1), (1, 700)])
def test_images_of_any_shape(inferencer, size):
    inferencer.set_text("star")
    found = inferencer(np.full((*size, 3), 90, np.uint8), score_threshold=0)
    assert found.masks.shape[1:] == size
    assert (found.boxes >= 0).all() and (found.boxes <= [*size[::-1]] * 2).all()


def test_boxes_of_a_reduced_image_are_in_its_own_pixels(inferencer, image, monkeypatch):
    inferencer.set_text("star")
    whole = inferencer(image, score_threshold=0)
    monkeypatch.setattr(module, "reduce_image", lambda image: reduce_image(image, 40 * 60))
    found = inferencer(image, score_threshold=0)
    assert found.masks.shape[1] < 90 and found.size == (90, 150)
    assert found.boxes.max() > 130 and whole.size is None
    assert found.records()[0]["mask"]["size"] == [90, 150]


def test_a_damaged_image_does_not_stop_a_folder(inferencer, image, tmp_path):
    inferencer.set_text("star")
    for name in ("a.png", "c.png"):
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no image")
    seen = []
    with pytest.raises(UserError, match="b.png"):
        seen.extend(path.name for path, _ in inferencer.predict_folder(tmp_path, batch_size=2))
    assert seen == ["a.png", "c.png"]
    skipped: list[ImageError] = []
    assert len(list(inferencer.predict_folder(tmp_path, skipped=skipped))) == 2
    assert [Path(str(error).split(": ")[0]).name for error in skipped] == ["b.png"]
