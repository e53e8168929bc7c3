"""Drawing: sizes, masks, crowds, inputs of any kind."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.detections import Detections
from ovdistill.visualization.drawing import NARROWEST_LEGEND, draw_detections
from ovdistill.visualization.palette import PAPER, class_colour


def detections(n: int, side: int = 64, classes: int = 3) -> Detections:
    """n boxes of a third of the image, with square masks inside."""
    rng = np.random.default_rng(n)
    start = rng.uniform(0, side * 2 / 3, (n, 2)).astype(np.float32)
    boxes = np.concatenate([start, start + side / 3], axis=1)
    masks = np.zeros((n, side, side), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2] = True
    labels = rng.integers(0, classes, n)
    names = tuple(f"class {label}" for label in labels)
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


def one_object(name: str = "b") -> Detections:
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 20:44, 20:44] = True
    box = np.array([[20, 20, 44, 44]], np.float32)
    return Detections(box, np.array([0.5]), np.array([1]), (name,), mask)


def test_objects_keep_their_colours_and_a_fill_tints_them():
    image = np.full((64, 64, 3), 200, np.uint8)
    inside = np.s_[210:430, 210:430]
    drawn = draw_detections(image, one_object(), ["a", "b"])
    assert (drawn[inside] == 200).all(axis=-1).mean() > 0.85
    tinted = draw_detections(image, one_object(), ["a", "b"], fill=0.3)
    expected = 0.7 * 200 + 0.3 * np.array(class_colour(1))
    assert (np.abs(tinted[inside] - expected) < 1).all(axis=-1).mean() > 0.85
    for result in (drawn, tinted):
        np.testing.assert_array_equal(result[60, 60], [200, 200, 200])
    with pytest.raises(UserError, match="1.5"):
        draw_detections(image, one_object(), ["a", "b"], fill=1.5)


def test_without_a_legend_only_the_image_is_drawn():
    image = np.full((64, 64, 3), 200, np.uint8)
    drawn = draw_detections(image, one_object(), ())
    assert drawn.shape == (640, 640, 3)
    assert (draw_detections(image, detections(0), ()) == 200).all()


def test_a_label_without_score_is_shorter():
    image = np.full((64, 64, 3), 200, np.uint8)
    with_score = draw_detections(image, one_object(), ())
    without = draw_detections(image, one_object(), (), show_scores=False)
    above = np.s_[160:196]  # the rows of the label
    assert (with_score[above] != 200).sum() > 1.5 * (without[above] != 200).sum()


def test_a_crowd_is_numbered_and_explained_below():
    side = 640
    rng = np.random.default_rng(3)
    start = rng.uniform(0, side - 60, (40, 2)).astype(np.float32)
    boxes = np.concatenate([start, start + rng.uniform(10, 60, (40, 2))], axis=1)
    labels = rng.integers(0, 5, 40)
    names = tuple(f"a rather long class name {label}" for label in labels)
    crowd = Detections(boxes, np.linspace(0.9, 0.3, 40), labels, names)
    image = np.full((side, side, 3), 90, np.uint8)
    drawn = draw_detections(image, crowd, ())
    untouched = (drawn[:side] == 90).all(axis=-1).mean()
    assert untouched > 0.8
    assert len(drawn) > side + 20 * 15  # two columns of 20 numbers


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
    names = [far.names[0], "b", *(f"class {i}" for i in range(1200))]
    drawn = draw_detections(
        image, far, names, note="a note that is longer than the image is wide " * 4
    )
    assert drawn.shape[1] == 720
    assert drawn.shape[0] < 1500  # 1200 classes that were not found are one line


@pytest.mark.parametrize(
    "name",
    [
        "",
        "two\nlines",
        "\x1b[31m",
        "\u202eright to left",
        "\udce9",
        "猫 🦓 עברית",
        "x" * 100_000,
        "\0",
    ],
)
@pytest.mark.parametrize("size", [(60, 90), (400, 1), (1, 400)])
def test_names_and_images_of_any_kind_are_drawn(name, size):
    image = np.zeros((*size, 3), np.uint8)
    box = np.array([[0, 0, size[1], size[0]]], np.float32)
    found = Detections(box, np.array([0.9]), np.array([0]), (name,))
    drawn = draw_detections(image, found, [name])
    factor = max(1, -(-640 // max(size)))
    assert drawn.shape[1] == max(size[1] * factor, NARROWEST_LEGEND)
    assert drawn.shape[0] > size[0] * factor


def test_masks_of_a_reduced_image_are_enlarged():
    image = np.full((700, 700, 3), 200, np.uint8)
    mask = np.zeros((1, 70, 70), bool)
    mask[0, 20:50, 20:50] = True
    box = np.array([[200, 200, 500, 500]], np.float32)
    found = Detections(box, np.array([0.5]), np.array([0]), ("a",), mask)
    drawn = draw_detections(image, found, ["a"])
    assert (drawn[350, 350] != 200).any() and (drawn[150, 350] == 200).all()
