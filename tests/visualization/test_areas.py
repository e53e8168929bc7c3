"""Drawings of label maps."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.visualization.areas import draw_areas, draw_label_map, names_by_size
from ovdistill.visualization.palette import class_colour

GREY = 100
NAMES = ("sky", "road", "star")


@pytest.fixture
def image() -> np.ndarray:
    return np.full((60, 80, 3), GREY, np.uint8)


@pytest.fixture
def labels() -> np.ndarray:
    """The left half is row 2, the right one row 0, a corner of it has no name."""
    labels = np.full((60, 80), 2)
    labels[:, 40:] = 0
    labels[40:, 60:] = -1
    return labels


def test_areas_have_a_light_fill_and_an_outline_of_their_colour(image, labels):
    draw_areas(image, labels, unit=1.0, fill=0.25)
    for row, column in ((2, 10), (0, 60)):
        light = GREY + 0.25 * (np.array(class_colour(row)) - GREY)
        np.testing.assert_allclose(image[20, column], light, atol=1)
    assert tuple(image[20, 37]) == class_colour(2) and tuple(image[20, 42]) == class_colour(0)
    assert (image[20, 39:41] == 255).all()  # a white line between both
    assert (image[55, 75] == GREY).all()  # no name, no colour


def test_an_image_of_one_name_has_no_outline(image):
    draw_areas(image, np.zeros((60, 80), dtype=int), unit=1.0, fill=0.5)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) == 1


def test_a_drawing_is_enlarged_and_has_a_legend(image, labels):
    drawn = draw_label_map(image, labels, NAMES)
    assert drawn.shape[1] == 640 and drawn.shape[0] > 480
    legend = {tuple(pixel) for pixel in drawn[480:].reshape(-1, 3).tolist()}
    assert {class_colour(0), class_colour(2)} <= legend  # and no swatch of a name that is not there
    assert class_colour(1) not in legend
    noted = draw_label_map(image, labels, NAMES, "RANDOM")
    assert len(noted) > len(drawn)


def test_a_small_image_stays_as_it_is_without_names(image):
    drawn = draw_label_map(image, np.full((60, 80), -1), NAMES, min_side=1)
    assert (drawn[:60, :80] == GREY).all() and len(drawn) > 60


def test_names_are_ordered_by_their_pixels(labels):
    assert names_by_size(labels, 3) == [2, 0]
    assert names_by_size(np.full((2, 2), -1), 3) == []


def test_the_fill_is_an_opacity(image, labels):
    with pytest.raises(UserError, match=r"1\.5"):
        draw_label_map(image, labels, NAMES, fill=1.5)
