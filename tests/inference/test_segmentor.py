"""Segmentor: an untrained network, whose label maps are checked against its own scores."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill import Detector, SegmentationResult, Segmentor
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.inference import network, segmentation_engine
from ovdistill.inference.large_images import reduce_image
from ovdistill.inference.model_kind import dense_scale, is_segmentor
from ovdistill.inference.open_model import open_model
from ovdistill.inference.pretrained import SHIPPED, find_detector
from ovdistill.inference.sources import find_sources
from ovdistill.models.config import load_config
from ovdistill.segmentation.best_names import best_names, resize
from ovdistill.vocabulary import Vocabulary

from ..stand_in import CONFIG, SEGMENTOR_CONFIG, TextsByLength, save_untrained_segmentor

NAMES = ("sky", "a road", "striped star")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_untrained_segmentor(tmp_path_factory.mktemp("segmentor"))


def load(checkpoint: Path, **options) -> Segmentor:
    return Segmentor.from_pretrained(
        SEGMENTOR_CONFIG, checkpoint, device="cpu", teacher=TextsByLength(), **options
    )


@pytest.fixture(scope="module")
def segmentor(checkpoint) -> Segmentor:
    return load(checkpoint)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """(90, 150, 3) uint8, not square and not the size of the network's input."""
    return np.random.default_rng(0).integers(0, 255, (90, 150, 3), dtype=np.uint8)


def test_every_pixel_has_the_name_of_the_best_score(segmentor, image):
    found = segmentor.predict(image, ", ".join(NAMES), background=None)
    assert isinstance(found, SegmentationResult) and found.names == NAMES
    assert found.labels.shape == found.confidence.shape == (90, 150)
    assert found.labels.dtype == np.int32 and found.confidence.dtype == np.float32
    scores = np.stack([found.scores(name) for name in NAMES])
    np.testing.assert_allclose(scores.max(axis=0), found.confidence, atol=1e-6)
    best = np.take_along_axis(scores, found.labels[None], axis=0)[0]
    np.testing.assert_allclose(best, found.confidence, atol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=0), 1, atol=1e-5)
    assert len(found.found) > 1  # else the test says little


def test_names_that_compete_leave_pixels_without_a_name(segmentor, image):
    alone = segmentor.predict(image, [NAMES[0]], background=None)
    assert alone.shares == {NAMES[0]: 1.0}
    whole = segmentor.predict(image, NAMES, background=None)
    found = segmentor.predict(image, NAMES[:1], background=", ".join(NAMES[1:]))
    np.testing.assert_array_equal(found.labels, np.where(whole.labels == 0, 0, -1))
    np.testing.assert_array_equal(found.confidence, whole.confidence)


def test_the_phrases_of_a_name_count_together(segmentor, image):
    whole = segmentor.predict(image, NAMES, background=None)
    found = segmentor.predict(image, {"up": [NAMES[0], NAMES[1]], NAMES[2]: None}, background=None)
    assert found.names == ("up", NAMES[2])  # a name is a phrase of itself too
    lone = segmentor.predict(image, ["up", *NAMES], background=None)
    both = sum(lone.scores(name) for name in ("up", *NAMES[:2]))
    np.testing.assert_allclose(found.scores("up"), both, atol=1e-5)
    assert whole.names == NAMES


def test_scores_are_upsampled_in_parts_that_the_networks_input_bounds(
    segmentor, image, monkeypatch
):
    held: list[int] = []

    def spy(maps, size):
        found = resize(maps, size)
        held.append(found.numel())
        return found

    monkeypatch.setattr("ovdistill.segmentation.best_names.resize", spy)
    small = image[:30, :50]
    texts = {"up": list(NAMES[:2]), **{"a" * length: None for length in range(3, 12)}}
    whole = segmentor.predict(small, texts, background=None)
    most = max(held) // 4  # of 12 phrases, as many as "up" has
    assert most > 3 * small[..., 0].size
    monkeypatch.setattr(segmentation_engine, "best_names", partial(best_names, most=most))
    held.clear()
    found = segmentor.predict(small, texts, background=None)
    np.testing.assert_array_equal(found.labels, whole.labels)
    assert max(held) == most


def test_a_threshold_takes_names_from_unsure_pixels(segmentor, image):
    whole = segmentor.predict(image, NAMES, background=None)
    middle = float(np.median(whole.confidence))
    found = segmentor.predict(image, NAMES, middle, background=None)
    np.testing.assert_array_equal(
        found.labels, np.where(whole.confidence < middle, -1, whole.labels)
    )
    with pytest.raises(UserError, match="1.5"):
        segmentor.predict(image, NAMES, 1.5)


def test_many_images_do_not_hold_pixels_or_scores(segmentor, image, tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(image).save(tmp_path / name)
    found = segmentor.predict(tmp_path, NAMES, background=None, batch_size=2)
    assert [Path(one.path).name for one in found] == ["a.png", "b.png"]
    assert found[0].image is None and "3 names" not in repr(found[0])
    with pytest.raises(UserError, match="keep_scores"):
        found[0].scores(NAMES[0])
    single = segmentor.predict(tmp_path / "a.png")
    np.testing.assert_array_equal(single.labels, found[1].labels)
    assert single.image.shape == (90, 150, 3)


def test_a_damaged_image_does_not_stop_the_others(segmentor, image, tmp_path):
    segmentor.set_vocabulary(NAMES)
    Image.fromarray(image).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    results = [one for _, one in segmentor.stream(find_sources(tmp_path), batch_size=2)]
    assert [isinstance(one, ImageError) for one in results] == [False, True]
    with pytest.raises(ImageError, match="b.png"):
        segmentor.predict(tmp_path)


def test_a_stream_keeps_the_names_that_it_began_with(segmentor, image):
    segmentor.set_vocabulary(NAMES, background=None)
    stream = segmentor.stream(find_sources([image] * 2))
    segmentor.set_vocabulary("ring", background=None)
    assert [found.names for _, found in stream] == [NAMES] * 2
    assert segmentor.predict(image).names == ("ring",)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (400, 3)])
def test_images_of_any_shape(segmentor, size):
    found = segmentor.predict(np.full((*size, 3), 90, np.uint8), NAMES, background=None)
    assert found.labels.shape == size and found.labels.min() >= 0


def test_a_reduced_image_has_a_label_map_of_its_own_size(segmentor, image, monkeypatch):
    monkeypatch.setattr(network, "reduce_image", lambda image: reduce_image(image, 40 * 60))
    found = segmentor.predict(image, NAMES, background=None)
    assert found.labels.shape == found.confidence.shape == (90, 150)
    assert found.scores(NAMES[0]).shape == (90, 150)


def test_half_precision_gives_about_the_same_scores(checkpoint, segmentor, image):
    full = segmentor.predict(image, NAMES, background=None)
    half = load(checkpoint, half=True).predict(image, NAMES, background=None)
    assert half.confidence.dtype == np.float32
    assert not np.array_equal(half.confidence, full.confidence)
    assert (half.labels == full.labels).mean() > 0.9


def test_without_a_text_it_names_the_classes_of_the_training(checkpoint, image, tmp_path):
    known = Vocabulary.encode(NAMES, TextsByLength(), ("{}",))
    known.save(tmp_path / "known.safetensors")
    overrides = {"vocabulary": str(tmp_path / "known.safetensors")}
    assert load(checkpoint, overrides=overrides).predict(image).names == NAMES
    with pytest.raises(UserError, match="nothing to look for"):
        load(checkpoint, overrides={"vocabulary": str(tmp_path / "none")}).predict(image)


def test_detectors_and_segmentors_are_told_apart(checkpoint):
    with pytest.raises(UserError, match="Segmentor.from_pretrained"):
        Detector.from_pretrained(SEGMENTOR_CONFIG, checkpoint)
    with pytest.raises(UserError, match="Detector.from_pretrained"):
        Segmentor.from_pretrained(SHIPPED)
    assert is_segmentor(load_config("maskword_r18_shapes"))
    assert not is_segmentor(load_config(CONFIG)) and not is_segmentor({"model": "no dict"})
    opened = open_model(find_detector(SEGMENTOR_CONFIG, checkpoint), device="cpu")
    assert isinstance(opened, Segmentor)
    assert isinstance(open_model(find_detector(SHIPPED), device="cpu"), Detector)


def test_the_scale_of_the_dense_teacher_is_that_of_the_training():
    assert dense_scale({"custom_hooks": [dict(type="BuildDenseTeacher", scale=2)]}) == 2.0
    assert dense_scale({"custom_hooks": None, "dense_scale": 1.5}) == 1.5
    assert dense_scale({}) == 1.0


def test_scores_need_no_gradient(segmentor, image):
    found = segmentor.predict(image, NAMES)
    with torch.enable_grad():
        assert isinstance(found.scores(NAMES[1]), np.ndarray)
