"""Colours of classes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ovdistill.visualization.palette import BLACK, COLOURS, WHITE, class_colour, contrast, ink_on


def least_difference(count: int) -> float:
    """CIELAB distance of the two most similar of the first colours; 2 is just visible."""
    rgb = np.array([class_colour(i) for i in range(count)], dtype=np.float32) / 255
    lab = cv2.cvtColor(rgb[None], cv2.COLOR_RGB2LAB)[0]
    differences = np.linalg.norm(lab[:, None] - lab, axis=-1)
    return differences[~np.eye(count, dtype=bool)].min()


@pytest.mark.parametrize("count, least", [(10, 20), (40, 20), (80, 15), (COLOURS, 10)])
def test_colours_of_many_classes_differ_visibly(count, least):
    assert least_difference(count) > least


def test_every_index_has_a_colour():
    assert class_colour(COLOURS) == class_colour(0)
    assert all(0 <= value <= 255 for value in class_colour(100_000))


def test_text_can_be_read_on_every_colour():
    colours = [class_colour(i) for i in range(COLOURS)]
    assert min(contrast(ink_on(colour), colour) for colour in colours) >= 4.5


def test_contrast_is_that_of_wcag():
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast((119, 119, 119), WHITE) == pytest.approx(4.48, abs=0.01)
