"""Labels at boxes, and numbers in crowded images."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from ovdistill.visualization.fonts import fit
from ovdistill.visualization.labels import clipped_boxes, draw_boxes, draw_labels
from ovdistill.visualization.palette import class_colour, ink_on


def draw(boxes, names, size=(640, 480)) -> tuple[bool, np.ndarray]:
    image = Image.new("RGB", size, (90, 90, 90))
    colours = [class_colour(i) for i in range(len(boxes))]
    lines = [fit(name, " 0.90", 15, math.inf) for name in names]
    full = draw_labels(image, boxes, colours, lines, 15)
    return full, (np.asarray(image) != 90).any(axis=-1)


def grid(count: int) -> list[tuple[float, float, float, float]]:
    return [
        (60.0 * (i % 10) + 5, 60.0 * (i // 10) + 40, 60.0 * (i % 10) + 45, 60.0 * (i // 10) + 80)
        for i in range(count)
    ]


def test_a_few_objects_have_full_labels():
    full, ink = draw([(50, 50, 200, 200), (300, 50, 500, 200)], ["zebra", "giraffe"])
    assert full
    assert ink[30:50, 50:130].mean() > 0.9


def test_a_crowd_has_numbers_that_leave_the_image_visible():
    full, ink = draw(grid(40), ["zebra"] * 40)
    assert not full
    assert ink.mean() < 0.06
    assert all(ink[int(y1) - 5, int(x1) + 5] for x1, y1, _, _ in grid(40))


def test_a_label_that_would_hide_another_object_makes_numbers():
    beside = [(100.0, 100.0, 118.0, 118.0), (119.0, 100.0, 137.0, 118.0)]
    around = [(x, y, x + 18, y + 18) for x in (81.0, 100, 119, 138) for y in (81.0, 119)]
    assert draw(beside, ["zebra"] * 2)[0]
    assert not draw([*beside, *around], ["zebra"] * 10)[0]


def test_a_label_wider_than_the_image_makes_a_number():
    assert not draw([(10, 100, 90, 200)], ["a very long description"], size=(100, 1000))[0]


def test_boxes_are_clipped():
    boxes = np.array([[-50, -50, 500, 500], [700, 10, 800, 20], [30, 40, 20, 10]], np.float32)
    assert clipped_boxes(boxes, (640, 480)) == [
        (0, 0, 500, 479),
        (639, 10, 639, 20),
        (30, 40, 30, 40),
    ]


def test_a_box_has_two_tones_and_the_first_is_on_top():
    image = Image.new("RGB", (100, 100), (90, 90, 90))
    colours = [class_colour(0), class_colour(1)]
    draw_boxes(image, [(20, 20, 80, 80)] * 2, colours, line=2)
    pixels = np.asarray(image)
    assert (pixels[50, 20] == colours[0]).all() and (pixels[50, 19] == ink_on(colours[0])).all()
    assert (pixels[50, 30] == 90).all()
