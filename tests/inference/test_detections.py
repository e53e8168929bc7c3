"""Detections: the conversion of a detector's output, choosing, and JSON."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from ovdistill.core.errors import UserError
from ovdistill.inference.detection import Detection
from ovdistill.inference.detections import PER_DETECTION, Detections
from ovdistill.inference.packed_masks import PackedMasks, held_masks


def detections(n: int) -> Detections:
    """n boxes with scores and square masks."""
    start = np.random.default_rng(n).uniform(0, 40, (n, 2)).astype(np.float32)
    boxes = np.concatenate([start, start + 21], axis=1)
    masks = np.zeros((n, 64, 64), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2] = True
    labels = np.arange(n) % 3
    names = tuple("abc"[label] for label in labels)
    return Detections(boxes, np.linspace(0.9, 0.3, n, dtype=np.float32), labels, names, masks)


def test_records_hold_boxes_and_masks_as_json():
    found = detections(2)
    records = found.records()
    assert records[0]["name"] == found.names[0] and records[0]["score"] == 0.9
    assert json.loads(json.dumps(records)) == records
    np.testing.assert_allclose(records[1]["box"], found.boxes[1], atol=0.01)
    np.testing.assert_array_equal(mask_utils.decode(records[1]["mask"]), found.masks[1])
    assert detections(0).records() == []


def test_masks_of_a_reduced_image_are_written_at_its_full_size():
    found = detections(2).moved((64, 64), (128, 320))
    np.testing.assert_allclose(found.boxes, detections(2).boxes * [5, 2, 5, 2], rtol=1e-6)
    (_, record) = found.records()
    assert record["mask"]["size"] == [128, 320]
    whole = detections(2).masks[1].repeat(2, axis=0).repeat(5, axis=1)
    np.testing.assert_array_equal(mask_utils.decode(record["mask"]), whole)


def full(n: int) -> Detections:
    """n detections with every field."""
    generator = np.random.default_rng(n)
    return replace(
        detections(n),
        runner_up_names=tuple(None if i == 1 else f"second {i}" for i in range(n)),
        runner_up_scores=np.linspace(0.3, 0.1, n, dtype=np.float32),
        embeddings=generator.normal(size=(n, 8)).astype(np.float32),
        region_rows=np.arange(n) + 7,
        track_ids=np.arange(n),
        queries=("a", "b", "c", "none"),
        image=np.zeros((64, 64, 3), np.uint8),
        path="photos/a.jpg",
    )


@pytest.mark.parametrize("form", [lambda found: found, Detections.compact])
@pytest.mark.parametrize(
    "key",
    [
        slice(1, 3),
        slice(None, None, -1),
        [3, 0, 3],
        np.array([4, 1]),
        np.array([True, False, True, False, False]),
        [False, True, False, False, True],
        [],
        np.zeros(5, bool),
    ],
)
def test_a_choice_takes_every_field(key, form):
    found = form(full(5))
    chosen = found[key]
    order = np.arange(5)[key if isinstance(key, slice) or len(key) else np.zeros(0, int)]
    assert type(chosen) is Detections and len(chosen) == len(order)
    for name in PER_DETECTION:
        expected = [getattr(found, name)[i] for i in order]
        np.testing.assert_array_equal(list(getattr(chosen, name)), expected)
    for field in fields(Detections):
        if field.name not in PER_DETECTION:
            assert getattr(chosen, field.name) is getattr(found, field.name)
    assert chosen.records() == [found.records()[i] for i in order]


def test_choices_that_are_not_there():
    with pytest.raises(IndexError):
        full(2)[2]
    with pytest.raises(IndexError):
        full(2)[[True, False, True]]
    with pytest.raises(IndexError):
        full(2)[[5]]


def test_one_detection_has_plain_values():
    found = full(3)
    one = found[-2]
    assert isinstance(one, Detection) and len(one) == 1
    assert (one.name, one.label) == ("b", 1) and type(one.score) is float
    assert one.score == pytest.approx(0.6) and one.box == tuple(found.boxes[1].tolist())
    np.testing.assert_array_equal(one.mask, found.masks[1])
    np.testing.assert_array_equal(one.embedding, found.embeddings[1])
    assert one.runner_up is None and found[0].runner_up == ("second 0", pytest.approx(0.3))
    assert one.area == found.masks[1].sum()
    assert [other.name for other in found] == list(found.names)
    assert [other.score for other in found[0]] == [found[0].score]
    plain = detections(1)
    assert plain[0].runner_up is None and plain[0].embedding is None
    assert replace(plain, masks=None)[0].mask is None


def test_filter_combines_conditions():
    found = full(6)
    assert found.filter("a").names == ("a", "a")
    assert set(found.filter(["a", "c"]).names) == {"a", "c"}
    assert found.filter(min_score=0.5).scores.min() >= 0.5
    assert len(found.filter("b", min_score=0.85)) == 0
    assert len(found.filter("none")) == 0 and len(full(0).filter("a", 0.5, 9)) == 0
    size = found[0].area
    assert len(found.filter(min_area=size)) >= 1 and len(found.filter(min_area=64 * 64)) == 0
    with pytest.raises(UserError, match="'star'"):
        found.filter(name="star")


def test_areas_are_those_of_the_original_image():
    small = detections(2)
    large = small.moved((64, 64), (128, 320))
    np.testing.assert_array_equal(large.areas, [mask.sum() for mask in large.full_masks()])
    np.testing.assert_allclose(replace(large, masks=None).areas, 21 * 21 * 10, rtol=1e-4)
    assert large[0].mask.shape == large.image_size == (128, 320)


def test_compact_detections_are_the_same_without_the_image():
    whole = full(5).moved((64, 64), (128, 320))
    found = pickle.loads(pickle.dumps(whole.compact().compact()))
    assert isinstance(held_masks(found), PackedMasks) and found.image is None
    assert held_masks(found[1]).shape == (1, 64, 64)
    np.testing.assert_array_equal(found.masks, whole.masks)
    np.testing.assert_array_equal(found.areas, whole.areas)
    assert found.to_json() == whole.to_json() and found.image_size == (128, 320)
    np.testing.assert_array_equal(replace(found, path=None).masks, whole.masks)
    assert replace(full(2), path=None).compact().image is not None  # nothing else has it
    assert Detections.masks is None and replace(full(2), masks=None).compact().masks is None
    sizeless = replace(whole, size=None, image=None).compact()
    assert sizeless.image_size == (64, 64)


def test_counts_and_a_short_description():
    assert full(5).counts == {"a": 2, "b": 2, "c": 1} and full(5).counts["none"] == 0
    assert repr(full(5)) == "5 detections: a 0.90, b 0.75, c 0.60, ..."
    assert repr(full(1)) == "1 detection: a 0.90" and repr(full(0)) == "no detections"
    odd = replace(full(1), names=("new\nline \x1b[31m",))
    assert repr(odd).isprintable()
    assert not full(0) and full(1)


def test_the_image_stays_only_if_it_fits():
    found = full(2)
    assert found.moved((64, 64), (32, 32)).image is None
    assert found.moved((32, 32), (64, 64)).image is found.image


def test_to_dict_is_json_and_says_what_it_is_of():
    content = json.loads(full(2).to_json())
    assert content == full(2).to_dict()
    assert (content["image"], content["height"], content["width"]) == ("photos/a.jpg", 64, 64)
    assert content["queries"] == ["a", "b", "c", "none"]
    assert content["objects"][0]["runner_up"] == {"name": "second 0", "score": 0.3}
    assert "runner_up" not in content["objects"][1]
    nothing = replace(detections(0), masks=None).to_dict()
    assert nothing["height"] is None and nothing["objects"] == []


def test_importing_detections_is_cheap():
    code = "import sys, ovdistill.inference.detections; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"cv2", "PIL", "torch", "pycocotools", "yaml", "mmengine", "matplotlib"}
