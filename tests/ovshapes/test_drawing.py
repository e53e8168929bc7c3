"""Silhouettes and patterns, against areas worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.ovshapes import drawing as draw
from ovdistill.ovshapes.categories import BACKGROUNDS, COLOURS, PATTERNS, SHAPES

# Area as a share of the square of the longest side.
AREAS = {
    "circle": np.pi / 4,
    "square": 1.0,
    "ring": np.pi / 4 * (1 - 0.44**2),
    "diamond": 0.62 / 2,
    "ellipse": np.pi / 4 * 0.55,
    "cross": 2 * 0.33 - 0.33**2,
    # side 1 is the longest: an equilateral triangle, and a hexagon with corners up (height 1)
    "triangle": np.sqrt(3) / 4,
    "hexagon": 6 * np.sqrt(3) / 4 * 0.5**2,
}


@pytest.mark.parametrize("shape", AREAS)
@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_silhouette_area(shape, angle):
    item = draw.stamp(shape, 80.0, angle, (100.3, 90.7))
    assert item.cover.sum() == pytest.approx(AREAS[shape] * 80**2, rel=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_silhouette_size_and_place(shape):
    item = draw.stamp(shape, 40.0, 0.0, (60.0, 50.0))
    rows, columns = item.window()
    image = np.zeros((128, 128))
    image[rows, columns] = item.cover
    ys, xs = np.nonzero(image >= 0.5)
    assert max(np.ptp(ys), np.ptp(xs)) + 1 == pytest.approx(40, abs=2)  # thin tips
    assert (xs.min() + xs.max() + 1) / 2 == pytest.approx(60, abs=1)
    assert (ys.min() + ys.max() + 1) / 2 == pytest.approx(50, abs=1)
    hollow = {"ring", "crescent"}
    assert (image[50, 64 if shape == "crescent" else 60] < 0.5) == (shape in hollow)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p != "solid"])
def test_patterns_show_both_tones_at_the_smallest_size(pattern, shape):
    item = draw.stamp(shape, 22.0, 0.2, (40.0, 40.0))
    tone = draw.first_tone(pattern, item, np.random.default_rng(3))
    share = tone[item.fine > 0].mean()
    low, high = {"striped": (0.3, 0.7), "checkered": (0.3, 0.7), "dotted": (0.5, 0.85)}.get(
        pattern, (0.25, 0.85)
    )
    assert low < share < high


def test_tones_contrast():
    rng = np.random.default_rng(0)
    for colour in COLOURS:
        for _ in range(20):
            first, second = draw.tones(colour, rng)
            assert np.abs(first - COLOURS[colour]).max() <= 12
            assert abs((second - first) @ [0.299, 0.587, 0.114]) >= 75 - 1e-3


def test_colours_are_well_separated():
    values = np.array(list(COLOURS.values()), float)
    distance = np.linalg.norm(values[:, None] - values[None], axis=2)
    assert distance[~np.eye(len(values), dtype=bool)].min() > 80


def test_inside_of_an_outlined_object_is_the_background():
    behind = draw.draw_background("noisy", 64, np.random.default_rng(1))
    canvas = np.zeros_like(behind)  # something else was drawn there before
    item = draw.stamp("circle", 50.0, 0.0, (32.0, 32.0))
    draw.paint(canvas, behind, item, "outlined", "red", np.random.default_rng(2))
    np.testing.assert_array_equal(canvas[24:40, 24:40], behind[24:40, 24:40])
    assert np.abs(canvas[32, 9] - COLOURS["red"]).max() <= 12  # the contour, 4.75 px wide
    assert (canvas[2, 2] == 0).all()  # outside


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_backgrounds_are_in_range(kind):
    image = draw.draw_background(kind, 96, np.random.default_rng(5))
    assert image.shape == (96, 96, 3) and image.dtype == np.float32
    assert 0 <= image.min() and image.max() <= 255
