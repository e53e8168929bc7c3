"""Drawings side by side."""

from __future__ import annotations

import numpy as np

from ovdistill.visualization.palette import PAPER
from ovdistill.visualization.panels import side_by_side


def test_panels_stand_from_left_to_right_below_their_titles():
    red = np.full((300, 640, 3), (200, 0, 0), np.uint8)
    blue = np.full((350, 640, 3), (0, 0, 200), np.uint8)
    sheet = side_by_side({"truth": red, "prediction": blue})
    top = len(sheet) - 350
    assert 20 < top < 60 and sheet.shape[1] > 1280
    np.testing.assert_array_equal(sheet[top : top + 300, :640], red)
    np.testing.assert_array_equal(sheet[top:, -640:], blue)
    assert (sheet[top + 300 :, :640] == PAPER).all()  # nothing below the shorter one
    for title in (sheet[:top, :640], sheet[:top, -640:]):
        assert (title < 128).any()
