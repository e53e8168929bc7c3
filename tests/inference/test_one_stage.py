"""Detector on a one-stage network: an untrained one, made from the config alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ovdistill.core.errors import UserError
from ovdistill.inference.cvat import CvatFunction
from ovdistill.inference.detector import Detector
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

from ..stand_in import TextsByLength

CONFIG = Path(__file__).parents[2] / "configs" / "hierkd_atss_r18_shapes.py"
ANY = dict(score_threshold=0.0, background=None)
SIZES = (90, 150), (128, 70)


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> Detector:
    torch.manual_seed(0)
    vocabulary = Vocabulary.encode(["any"], TextsByLength(), ("{}",))
    model = build_detector(load_config(CONFIG), vocabulary=vocabulary)
    weights = tmp_path_factory.mktemp("student") / "student.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, weights)
    return Detector.from_pretrained(CONFIG, weights, device="cpu", teacher=TextsByLength())


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    """Two images of different sizes, (H, W, 3) uint8."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for size in SIZES]


def test_detections_are_in_pixels_of_the_original(detector, images):
    height, width = SIZES[0]
    found = detector.predict(images[0], "star, hexagon", max_dets=40, **ANY)
    assert 0 < len(found) <= 40 and found.size == (height, width)
    assert (found.boxes >= 0).all() and (found.boxes <= [width, height] * 2).all()
    assert found.boxes[:, 2].max() > 130  # the network saw 128 pixels of width
    assert (np.diff(found.scores) <= 0).all() and (found.scores > 0).all()
    assert [("star", "hexagon")[label] for label in found.labels] == list(found.names)
    assert found.masks is None and found.regions is None
    highest = float(found.scores[0])
    assert len(detector.predict(images[0], score_threshold=min(1, highest + 0.01))) == 0


def test_a_batch_gives_what_single_images_give(detector, images):
    two = [images[0], np.ascontiguousarray(images[0][:, ::-1])]
    together = detector.predict(two, "star, hexagon", batch_size=2, **ANY)
    for found, image in zip(together, two, strict=True):
        alone = detector.predict(image, score_threshold=0.0)
        assert len(found) == len(alone) > 0 and found.counts == alone.counts
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-5)
        apart = np.abs(found.boxes[:, None] - alone.boxes).max(axis=-1)
        assert apart.min(axis=1).max() < 0.01  # those of equal scores may change places


def test_a_batch_of_several_sizes(detector, images):
    together = detector.predict(images, "star, hexagon", batch_size=2, **ANY)
    for found, (height, width) in zip(together, SIZES, strict=True):
        assert found.size == (height, width) and len(found) > 0
        assert (found.boxes >= 0).all() and (found.boxes <= [width, height] * 2).all()
        assert (found.boxes.max(axis=0)[2:] > [0.85 * width, 0.85 * height]).all()


def test_names_are_replaced_phrases_are_one_and_competitors_are_not_reported(detector, images):
    assert set(detector.predict(images[0], ["ring"], **ANY).names) == {"ring"}
    vocabulary = detector.set_vocabulary("cross, a moon", background="any other thing")
    assert vocabulary.names == ("cross", "a moon", "any other thing")
    assert detector.queries == ("cross", "a moon")
    found = detector.predict(images[0], score_threshold=0.0)
    assert set(found.names) == {"cross", "a moon"}
    phrases = {"cross": ["a moon", "a long phrase"]}
    assert set(detector.predict(images[0], phrases, **ANY).names) == {"cross"}


def test_it_says_that_it_keeps_no_regions(detector, images):
    found = detector.predict(images[0], "star", keep_regions=True, **ANY)
    assert found.regions is None
    with pytest.raises(UserError, match="one-stage"):
        detector.requery(found, "hexagon")


def test_results_are_written_without_masks(detector, images, tmp_path):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    (found,) = detector.predict([tmp_path / "a.png"], "star", max_dets=3, **ANY)
    assert "mask" not in found.records()[0] and len(found.to_yolo().splitlines()) == 3
    assert found.save(tmp_path / "drawn.png").is_file()
    with pytest.raises(UserError, match="masks"):
        found.to_yolo(masks=True)
    with pytest.raises(UserError, match="without masks"):
        CvatFunction(detector, "mask")
