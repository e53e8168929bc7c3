"""Detector on an untrained network: plumbing, geometry, bad input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ovdistill
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.inference import network
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.detector import Detector
from ovdistill.inference.large_images import reduce_image
from ovdistill.inference.limits import Limits
from ovdistill.inference.onnx_export import texts_of
from ovdistill.inference.packed_masks import PackedMasks, held_masks
from ovdistill.inference.sources import find_sources
from ovdistill.vocabulary import Vocabulary

from ..stand_in import CONFIG, TextsByLength, save_untrained
from .video.clips import write_clip

ANY = dict(score_threshold=0.0, background=None)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_untrained(tmp_path_factory.mktemp("student"))


def load(checkpoint: Path, **options) -> Detector:
    options = dict(device="cpu", teacher=TextsByLength()) | options
    return Detector.from_pretrained(CONFIG, checkpoint, **options)


@pytest.fixture(scope="module")
def detector(checkpoint) -> Detector:
    return load(checkpoint)


@pytest.fixture
def image() -> np.ndarray:
    """(90, 150, 3) uint8, not square and not the size of the network's input."""
    return np.random.default_rng(0).integers(0, 255, (90, 150, 3), dtype=np.uint8)


def test_the_package_has_it_without_importing_torch_first():
    assert ovdistill.Detector is Detector
    with pytest.raises(AttributeError, match="Detektor"):
        _ = ovdistill.Detektor


def test_detections_are_in_pixels_of_the_original(detector, image):
    assert len(detector.predict(image, "star, hexagon", 0.0, max_dets=7, background=None)) == 7
    found = detector.predict(image, "star, hexagon", **ANY)
    assert found.masks.shape == (len(found), 90, 150)
    assert found.boxes[:, 0::2].max() > 130  # the network saw 128 px of width
    assert (found.boxes >= 0).all() and (found.boxes <= [150, 90, 150, 90]).all()
    assert (np.diff(found.scores) <= 0).all()
    assert [("star", "hexagon")[label] for label in found.labels] == list(found.names)
    assert np.array_equal(found.image, image) and found.queries == ("star", "hexagon")


def test_texts_are_replaced_and_background_texts_are_not_reported(detector, image):
    assert set(detector.predict(image, ["ring"], **ANY).names) == {"ring"}
    vocabulary = detector.set_vocabulary("cross", background="a moon, cross")
    assert vocabulary.names == ("cross", "a moon") and detector.queries == ("cross",)
    found = detector.predict(image, score_threshold=0)
    assert set(found.names) == {"cross"} and set(found.runner_up_names) == {"a moon"}


def test_a_list_or_a_file_that_has_changed_is_read_again(detector, tmp_path):
    names, others, phrases = ["ring"], ["moon"], {"ring": ["hoop"]}
    detector.set_vocabulary(names, others)
    assert detector.set_vocabulary(names, others) is detector.engine.asked.vocabulary
    names.append("star")
    others.append("sun")
    assert detector.set_vocabulary(names, others).names == ("ring", "star", "moon", "sun")
    detector.set_vocabulary(phrases, None)
    phrases["ring"].append("band")
    assert detector.set_vocabulary(phrases, None).names == ("ring", "hoop", "band")
    path = tmp_path / "names.txt"
    for name in ("ring", "star"):
        path.write_text(name)
        assert detector.set_vocabulary(str(path), None).names == (name,)


def test_class_names_of_the_training_compete_by_default(checkpoint, image, tmp_path):
    names = ("solid star", "a moon", "ring")
    known = Vocabulary.encode(names, TextsByLength(), ("{}",))
    known.save(tmp_path / "v.safetensors")
    own = load(checkpoint, overrides={"vocabulary": str(tmp_path / "v.safetensors")})
    assert own.set_vocabulary("red star").names == ("red star", "a moon", "ring")
    assert own.set_vocabulary("red star", background=None).names == ("red star",)
    assert own.set_vocabulary(known).names == names and own.queries == names


def test_a_class_that_competes_is_known_in_all_its_spellings(checkpoint, tmp_path):
    Vocabulary.encode(("red_moon", "a planet"), TextsByLength(), ("{}",)).save(tmp_path / "v")
    own = load(checkpoint, overrides={"vocabulary": str(tmp_path / "v")})
    (tmp_path / "names.yaml").write_text("names: {cups: [Mug]}\nnegatives: [Red Moon, cups]")
    assert own.set_vocabulary(str(tmp_path / "names.yaml")).names[2:] == ("Red Moon", "a planet")
    for others in (["Cups", "mug", "RING"], ["RING", "ring", "mug"]):
        asked = own.set_vocabulary({"cups": "Mug"}, others)
        assert asked.names == ("cups", "Mug", "RING")
    known = own.known.only({"red_moon"})
    assert own.set_vocabulary(known, ["Red Moon", "ring"]).names == ("red_moon", "ring")


def test_names_are_base_as_they_were_in_the_training(checkpoint, tmp_path):
    """ViLD-ensemble and mask-word give base and novel names other shares of their two sources."""
    known = Vocabulary.encode(
        ("solid star", "a moon"), TextsByLength(), ("{}",), torch.tensor([True, False])
    )
    known.save(tmp_path / "v.safetensors")
    for tokens in ({}, {"prepare.vocabulary": dict(tokens=True)}):
        own = load(checkpoint, overrides={"vocabulary": str(tmp_path / "v.safetensors"), **tokens})
        asked = own.set_vocabulary("Solid_Star, a moon, zebra", background=None)
        assert asked.is_base.tolist() == [True, False, False]
        again = own.set_vocabulary("zebra", background="Solid_Star")  # of texts that are kept
        assert again.is_base.tolist() == [False, True]
    assert texts_of(own.engine.asked).is_base.tolist() == [False, True]  # as an export has it


def test_without_the_names_of_the_training_all_are_base(detector):
    assert detector.known is None
    assert detector.set_vocabulary("zebra, ring", background=None).is_base.all()


def test_a_text_is_encoded_once(checkpoint):
    texts = []

    class Counting(TextsByLength):
        def encode_text(self, prompts: list[str], batch_size: int = 256):
            texts.extend(prompts)
            return super().encode_text(prompts, batch_size)

    own = load(checkpoint, teacher=Counting())
    first = own.set_vocabulary("star, ring", background=None)
    again = own.set_vocabulary("moon, ring, star", background="star, a sun")
    assert len(texts) == len(set(texts)) == 4 * len(own.prompts)
    assert again.names == ("moon", "ring", "star", "a sun")
    assert (again.embeddings[1] == first.embeddings[1]).all()


def test_phrases_of_a_name_share_its_score(detector, image):
    alone = detector.predict(image, {"x": "a star", "hexagon": None}, **ANY)
    apart = detector.predict(image, "x, a star, hexagon", **ANY)
    assert set(alone.names) <= {"x", "hexagon"}
    # in one softmax: what two names had, one has
    rows = {tuple(box): score for box, score in zip(alone.boxes, alone.scores, strict=True)}
    best = {tuple(box): score for box, score in zip(apart.boxes, apart.scores, strict=True)}
    common = [key for key in rows if key in best]
    assert common and all(rows[key] >= best[key] - 1e-6 for key in common)


def test_a_stream_keeps_the_names_that_it_began_with(detector, image, tmp_path):
    detector.set_vocabulary("star, hexagon", background=None)
    stream = detector.stream(find_sources([image] * 3), Limits(0.0))
    first = next(stream)[1]
    detector.predict(image, "a longer name", **ANY)
    second = next(stream)[1]
    assert second.queries == ("star", "hexagon") and detector.queries == ("a longer name",)
    np.testing.assert_array_equal(second.scores, first.scores)
    assert detector.predict(image, **ANY).queries == ("a longer name",)
    assert next(stream)[1].names == first.names


def test_a_video_keeps_the_names_that_it_began_with(detector, image, tmp_path):
    pytest.importorskip("av")
    path = write_clip(tmp_path / "a.mp4", [image] * 3)
    found = detector.predict_video(path, "star, hexagon", **ANY)
    detector.set_vocabulary("ring", background=None)
    assert [one.queries for _, _, one in found] == [("star", "hexagon")] * 3


def test_many_images(detector, image, tmp_path):
    (tmp_path / "sub").mkdir()
    paths = [tmp_path / "0.png", tmp_path / "sub" / "1.png"]
    for path, pixels in zip(paths, (image, image[::-1]), strict=True):
        Image.fromarray(pixels).save(path)
    together = detector.predict(tmp_path, "star, hexagon", batch_size=2, **ANY)
    assert [found.path for found in together] == [str(path) for path in paths]
    for path, found in zip(paths, together, strict=True):
        alone = detector.predict(str(path), score_threshold=0)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_array_equal(found.labels, alone.labels)
        assert found.regions is None and alone.regions is not None
        assert isinstance(held_masks(found), PackedMasks)
        np.testing.assert_array_equal(found.masks, alone.masks)
        assert found.image is None and alone.image is not None and found.size == (90, 150)
    assert detector.predict([]) == []
    assert len(detector.predict([paths[0]])) == 1  # a list stays a list
    assert len(detector.predict({*paths})) == 2
    for options in (dict(batch_size=0), dict(max_dets=-1)):
        with pytest.raises(UserError, match="expected 1 or more"):
            detector.predict(paths, **options)


def test_kept_regions_give_what_a_new_run_gives(detector, image):
    seen = detector.predict(image, "star", **ANY)
    for text in ("star", "hexagon, a ring", {"x": ["a star", "moon"]}):
        again, new = detector.requery(seen, text, **ANY), detector.predict(image, text, **ANY)
        once = detector.predict([image], text, keep_regions=False, **ANY)[0]
        for other in (new, once):
            np.testing.assert_allclose(again.boxes, other.boxes, atol=1e-4)
            np.testing.assert_allclose(again.scores, other.scores, atol=1e-5)
            assert again.names == other.names and (again.masks == other.masks).all()
        assert again.image is seen.image
    with pytest.raises(UserError, match="keep_regions"):
        detector.requery(once)


def test_where_nothing_is_found_it_says_what_came_nearest(detector, image):
    found = detector.predict(image, "star, hexagon", 1.0, background=None)
    best = detector.predict(image, "star, hexagon", **ANY)
    assert len(found) == 0 and found.nearest[0] == best.names[0]
    assert found.nearest[1] == pytest.approx(best.scores[0])
    assert best.nearest is None


def test_calibrated_scores(checkpoint, image):
    raw, own = load(checkpoint), load(checkpoint)
    own.calibration = Calibration(2.0, -0.5)
    before, after = (one.predict(image, "star, hexagon", **ANY) for one in (raw, own))
    np.testing.assert_allclose(
        after.scores, own.calibration.probabilities(before.scores), atol=1e-5
    )
    threshold = float(np.median(after.scores))
    kept = own.predict(image, "star, hexagon", threshold, background=None)
    assert kept.scores.min() >= threshold - 1e-5 and 0 < len(kept) < len(after)


def test_bad_input_is_named(checkpoint, image):
    with pytest.raises(UserError, match="no device 'gpuu'"):
        load(checkpoint, device="gpuu")
    fresh = load(checkpoint)
    with pytest.raises(UserError, match="set_vocabulary"):
        fresh.predict(image)
    with pytest.raises(UserError, match="no name"):
        fresh.set_vocabulary(" , ")
    fresh.set_vocabulary("star")
    with pytest.raises(ImageError):
        fresh.predict(image[None])
    wide = Vocabulary.from_array(np.eye(2, 24, dtype=np.float32), ["a", "b"])
    with pytest.raises(UserError, match="width"):
        fresh.set_vocabulary(wide)
    with pytest.raises(UserError, match="width"):
        Detector.from_pretrained(device="cpu").set_vocabulary(wide)


def test_overrides_take_the_place_of_the_configs_values(checkpoint, image):
    own = load(checkpoint, overrides={"model.test_cfg.rcnn.max_per_img": 2})
    assert 1 <= len(own.predict(image, "ring", **ANY)) <= 2


@pytest.mark.parametrize("size", [(4000, 3), (1, 1), (1, 700)])
def test_images_of_any_shape(detector, size):
    found = detector.predict(np.full((*size, 3), 90, np.uint8), "star", **ANY)
    assert found.masks.shape[1:] == size
    assert (found.boxes >= 0).all() and (found.boxes <= [*size[::-1]] * 2).all()


def test_boxes_of_a_reduced_image_are_in_its_own_pixels(detector, image, monkeypatch):
    whole = detector.predict(image, "star", **ANY)
    monkeypatch.setattr(network, "reduce_image", lambda image: reduce_image(image, 40 * 60))
    found = detector.predict(image, "star", **ANY)
    assert found.masks.shape[1] < 90 and found.size == (90, 150)
    assert found.boxes.max() > 130 and whole.size == (90, 150)
    assert found.records()[0]["mask"]["size"] == [90, 150]
    again = detector.requery(found, "star", **ANY)
    np.testing.assert_allclose(again.boxes, found.boxes, atol=1e-3)


def test_a_damaged_image_does_not_stop_the_others(detector, image, tmp_path):
    detector.set_vocabulary("star")
    for name in ("a.png", "c.png"):
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no image")
    results = list(detector.stream(find_sources(tmp_path), Limits(), batch_size=2))
    assert [Path(source.name).name for source, _ in results] == ["a.png", "b.png", "c.png"]
    assert [isinstance(found, ImageError) for _, found in results] == [False, True, False]
    with pytest.raises(ImageError, match="b.png"):
        detector.predict(tmp_path)


def test_detections_are_a_value_that_can_be_chosen_from(detector, image):
    found = detector.predict(image, "star, hexagon", **ANY)
    best = found[0]
    assert best.name == found.names[0] and best.mask.shape == (90, 150)
    assert len(found[:2]) == 2 and found[:2].embeddings.shape == (2, 16)
    assert replace(found, regions=None).regions is None
