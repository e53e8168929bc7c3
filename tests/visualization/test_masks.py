"""Masks: enlarged, outlined, hatched."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.visualization.masks import draw_mask, enlarge_mask
from ovdistill.visualization.palette import ink_on

RED = (230, 57, 70)


def star() -> np.ndarray:
    """A block with a horizontal and a diagonal spike of one pixel, (40, 40) bool."""
    mask = np.zeros((40, 40), bool)
    mask[15:25, 5:15] = True
    mask[20, 15:35] = True
    for step in range(10):
        mask[14 - step, 15 + step] = True
    return mask


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_tips_of_one_pixel_survive_enlarging(factor):
    mask = star()
    large = enlarge_mask(mask, (40 * factor, 40 * factor))
    # the last pixel of each spike, over half of its length
    assert large[20 * factor : 21 * factor, 34 * factor : 35 * factor].mean() > 0.5
    assert large[5 * factor : 6 * factor, 24 * factor : 25 * factor].mean() > 0.5
    assert large.sum() / factor**2 == pytest.approx(mask.sum(), rel=0.1)


def test_the_middle_of_every_pixel_survives():
    rng = np.random.default_rng(0)
    for share in (0.05, 0.3, 0.7, 0.95):
        mask = rng.random((30, 20)) < share
        large = enlarge_mask(mask, (20 * 5, 30 * 5))
        assert large[2::5, 2::5][mask].all()


def test_steps_become_smooth():
    mask = np.tri(40, 40, dtype=bool)  # a diagonal edge
    large = enlarge_mask(mask, (400, 400))
    edges = large[50:350].argmin(axis=1)  # the first pixel outside, row by row
    assert np.abs(np.diff(edges)).max() <= 2  # where pixels were repeated: 10


def test_a_mask_of_the_size_wanted_is_left_alone():
    mask = star()
    np.testing.assert_array_equal(enlarge_mask(mask, (40, 40)), mask)


@pytest.mark.parametrize("unit", [0.3, 1, 3.7])
def test_the_inside_keeps_its_colours(unit):
    canvas = np.full((300, 300, 3), (0, 0, 255), np.uint8)
    mask = np.zeros((300, 300), bool)
    mask[50:250, 60:240] = True
    draw_mask(canvas, mask, RED, unit)
    untouched = (canvas[mask] == (0, 0, 255)).all(axis=-1)
    assert 0.85 < untouched.mean() < 1  # a hatch is there
    assert (canvas[0, 0] == (0, 0, 255)).all()


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), RED, (128, 128, 128)])
def test_the_outline_shows_on_any_ground(ground):
    canvas = np.full((60, 60, 3), ground, np.uint8)
    mask = np.zeros((60, 60), bool)
    mask[20:40, 20:40] = True
    draw_mask(canvas, mask, RED, 1)
    outline = canvas[30, 10:20].astype(int)
    differences = np.abs(outline - ground).max(axis=-1)
    assert differences.max() > 100
    # it has both its tones
    for tone in (RED, ink_on(RED)):
        assert np.abs(outline - tone).max(axis=-1).min() < 60


def test_a_fill_tints_the_inside():
    canvas = np.full((60, 60, 3), 200, np.uint8)
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    draw_mask(canvas, mask, RED, 1, fill=0.3)
    expected = 0.7 * 200 + 0.3 * np.array(RED)
    assert (np.abs(canvas[mask] - expected) < 1).all(axis=-1).mean() > 0.85


@pytest.mark.parametrize(
    "rows, columns", [((0, 60), (0, 60)), ((0, 1), (59, 60)), ((30, 30), (0, 0))]
)
def test_masks_at_the_edge_and_empty_ones(rows, columns):
    canvas = np.full((60, 60, 3), 200, np.uint8)
    mask = np.zeros((60, 60), bool)
    mask[slice(*rows), slice(*columns)] = True
    draw_mask(canvas, mask, RED, 1)
    assert (canvas == 200).all() == (not mask.any())
