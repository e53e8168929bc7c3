"""Drawing: sizes, colours, labels; the conversion of detections."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from pycocotools import mask as mask_utils

from ovdistill.inference.detections import Detections, select
from ovdistill.visualization.drawing import PAPER, draw_detections, word_colour
from ovdistill.visualization.label_layout import overlap, place_label


def detections(n: int, side: int = 64, words: int = 3) -> Detections:
    """n boxes of a third of the image, with square masks inside."""
    rng = np.random.default_rng(n)
    start = rng.uniform(0, side * 2 / 3, (n, 2)).astype(np.float32)
    boxes = np.concatenate([start, start + side / 3], axis=1)
    masks = np.zeros((n, side, side), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2] = True
    labels = rng.integers(0, words, n)
    names = tuple(f"word {label}" for label in labels)
    return Detections(boxes, np.linspace(0.9, 0.3, n, dtype=np.float32), labels, names, masks)


def test_a_small_image_is_enlarged_and_gets_a_legend():
    image = np.full((64, 128, 3), 90, np.uint8)
    drawn = draw_detections(image, detections(0), ["a star"])
    assert drawn.dtype == np.uint8
    assert drawn.shape[1] == 640 and drawn.shape[0] > 320
    assert (drawn[:320] == 90).all()  # nothing found: the image itself
    assert tuple(drawn[-1, -1]) == PAPER


def test_a_large_image_keeps_its_size():
    image = np.zeros((700, 700, 3), np.uint8)
    assert draw_detections(image, detections(2, side=700), ["a", "b", "c"]).shape[1] == 700


def test_a_mask_tints_its_inside_and_leaves_the_rest():
    image = np.full((64, 64, 3), 200, np.uint8)
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 20:44, 20:44] = True
    one = Detections(
        np.array([[20, 20, 44, 44]], np.float32), np.array([0.5]), np.array([1]), ("b",), mask
    )
    drawn = draw_detections(image, one, ["a", "b"])
    expected = 0.7 * 200 + 0.3 * np.array(word_colour(1))
    np.testing.assert_allclose(drawn[320, 320], expected, atol=1)
    np.testing.assert_array_equal(drawn[60, 60], [200, 200, 200])


def test_masks_are_optional_and_inputs_are_left_alone():
    found = detections(3)
    without = Detections(found.boxes, found.scores, found.labels, found.names)
    image = np.zeros((64, 64, 3), np.uint8)
    draw_detections(image, without, ["a", "b", "c"])
    assert not image.any()


def test_extreme_inputs_are_drawn():
    image = np.zeros((10, 120, 3), np.uint8)
    far = Detections(
        np.array([[-50, -50, 500, 500], [115, 3, 115, 3]], np.float32),
        np.array([0.9, 0.8]),
        np.array([0, 1]),
        ("a very long query " * 20, "b"),
    )
    words = [far.names[0], "b", *(f"word {i}" for i in range(1200))]
    drawn = draw_detections(
        image, far, words, note="a note that is longer than the image is wide " * 4
    )
    assert drawn.shape[1] == 720
    assert drawn.shape[0] < 1500  # 1200 words that were not found are one line


def test_colours_of_the_first_hundred_words_differ():
    assert len({word_colour(i) for i in range(100)}) == 100


def test_labels_stay_inside_and_do_not_hide_one_another():
    rng = np.random.default_rng(0)
    canvas, size, taken = (640.0, 640.0), (150.0, 22.0), []
    for x, y in rng.uniform(-20, 600, (40, 2)):
        area = place_label((x, y, x + 100, y + 100), size, canvas, taken)
        assert 0 <= area[0] <= area[2] <= 640 and 0 <= area[1] <= area[3] <= 640
        assert area[2] - area[0] == pytest.approx(150)
        assert not any(overlap(area, other) for other in taken)
        taken.append(area)


def test_a_lone_label_sits_on_top_of_its_box():
    assert place_label((100, 100, 300, 200), (80, 20), (640, 480), []) == (100, 80, 180, 100)
    # no room above: below
    assert place_label((100, 5, 300, 200), (80, 20), (640, 480), [])[1] == 200


def test_select_keeps_the_best_wanted_detections_in_order():
    masks = torch.zeros(5, 4, 4)
    masks[3, :2] = 1
    instances = InstanceData(
        bboxes=torch.arange(20.0).reshape(5, 4),
        scores=torch.tensor([0.2, 0.9, 0.5, 0.8, 0.95]),
        labels=torch.tensor([0, 1, 0, 1, 2]),  # 2: a background word
        masks=masks,
    )
    found = select(instances, ("star", "ring"), score_threshold=0.3, max_dets=2)
    assert found.names == ("ring", "ring")
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_array_equal(found.boxes[1], [12, 13, 14, 15])
    assert found.masks.dtype == bool and found.masks[1].sum() == 8
    assert len(select(instances, ("star", "ring"), 0.3, 100)) == 3
    assert len(select(instances, ("star", "ring"), 0.99, 100)) == 0


def test_records_hold_boxes_and_masks_as_json():
    found = detections(2)
    records = found.records()
    assert records[0]["name"] == found.names[0] and records[0]["score"] == 0.9
    np.testing.assert_allclose(records[1]["box"], found.boxes[1], atol=0.01)
    np.testing.assert_array_equal(mask_utils.decode(records[1]["mask"]), found.masks[1])
    assert detections(0).records() == []
