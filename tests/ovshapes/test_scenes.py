"""Scenes: what they show, and that their parts agree."""

from __future__ import annotations

import numpy as np

from ovdistill.ovshapes.categories import COLOURS, SHAPES, category_names
from ovdistill.ovshapes.scenes import MIN_VISIBLE, OBJECTS_PER_IMAGE, _place, draw_categories, scene


def test_scene_is_consistent():
    for seed in range(60):
        drawn = scene(np.random.default_rng(seed))
        assert drawn.image.shape == (128, 128, 3) and drawn.image.dtype == np.uint8
        assert OBJECTS_PER_IMAGE[0] <= len(drawn.objects) <= OBJECTS_PER_IMAGE[1]
        assert sum(o.mask for o in drawn.objects).max() <= 1  # visible parts are disjoint
        for thing in drawn.objects:
            ys, xs = np.nonzero(thing.mask)
            assert thing.box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            assert f"{thing.colour} " in drawn.caption and f" {thing.shape}" in drawn.caption


def test_objects_are_hidden_in_part_only():
    shares = []
    for seed in range(60):
        rng, taken = np.random.default_rng(seed), np.zeros((128, 128), bool)
        for shape in SHAPES[: OBJECTS_PER_IMAGE[1]]:
            item, mask = _place(shape, taken, rng)
            shares.append(mask.sum() / (item.cover >= 0.5).sum())
            taken |= mask
    assert min(shares) >= MIN_VISIBLE
    assert sum(share < 0.95 for share in shares) > 10  # occlusion does occur


def test_scene_shows_the_colour_of_its_objects():
    for seed in range(20):
        drawn = scene(np.random.default_rng(seed))
        for thing in drawn.objects:
            if thing.pattern == "solid":
                mean = np.median(drawn.image[thing.mask], axis=0)
                assert np.abs(mean - COLOURS[thing.colour]).max() <= 13


def test_required_category_occurs():
    for seed in range(10):
        drawn = scene(np.random.default_rng(seed), require=64)
        assert "outlined ellipse" in {o.name for o in drawn.objects}


def test_categories_alone_are_those_of_the_scene():
    for seed in range(10):
        drawn = scene(np.random.default_rng(seed))
        expected = draw_categories(np.random.default_rng(seed))
        assert [o.name for o in drawn.objects] == [category_names()[k] for k in expected]
