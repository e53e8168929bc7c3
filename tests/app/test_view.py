"""What the page shows of what was found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ovdistill.app import view
from ovdistill.app.finder import Look
from ovdistill.app.kept_masks import MOST_PIXELS, KeptMasks
from ovdistill.inference.detections import Detections


def found() -> Detections:
    """A large object with a small one in it, which the mask of the large one leaves out."""
    masks = np.ones((2, 50, 100), bool)
    masks[0, 20:30, 40:60] = False
    return Detections(
        boxes=np.array([[0, 0, 100, 50], [40, 20, 60, 30]], np.float32),
        scores=np.array([0.9, 0.4], np.float32),
        labels=np.array([0, 1]),
        names=("<b>sky</b>", "kite"),
        masks=masks,
        size=(50, 100),
        queries=("<b>sky</b>", "kite", "bird"),
        runner_up_names=("bird", None),
        runner_up_scores=np.array([0.0504, 0], np.float32),
    )


def look(detections: Detections | None) -> Look:
    masks = None if detections is None else KeptMasks.of(detections.masks)
    kept = None if detections is None else replace(detections, masks=None)
    return Look(np.full((50, 100, 3), 200, np.uint8), "a.png", kept, masks, seconds=0.5)


def test_masks_are_kept_small() -> None:
    np.testing.assert_array_equal(KeptMasks.of(found().masks).first(2), found().masks)
    large = np.zeros((3, 3000, 4001), bool)
    large[1, 1500:] = True
    kept = KeptMasks.of(large)
    assert kept.packed.shape[1] * kept.packed.shape[2] <= MOST_PIXELS
    assert sum(map(len, kept.packed.parts)) < MOST_PIXELS / 100
    first = kept.first(2)
    assert (
        len(first) == 2 and not first[0].any() and first[1].mean() == pytest.approx(0.5, abs=1e-3)
    )
    assert view.shown(look(found()), 0.5).masks.shape == (1, 50, 100)


def test_a_click_means_the_smallest_object_whose_mask_is_there() -> None:
    assert view.at_point(found(), 50, 25) == 1
    assert view.at_point(found(), 10, 25) == 0
    assert view.at_point(replace(found(), masks=None), 50, 25) == 1
    assert view.at_point(found()[1:], 10, 25) is None
    assert view.at_point(found()[:0], 10, 25) is None


def test_a_point_of_the_drawing_is_a_point_of_the_image() -> None:
    drawn = view.draw(look(found()), 0.3)
    assert drawn.shape[:2] == (350, 700)  # enlarged by 7
    assert view.in_image(look(found()).image, 700, 350) == (100, 50)
    large = replace(look(found()), image=np.zeros((3000, 2000, 3), np.uint8))
    assert view.in_image(large.image, *reversed(view.draw(look_at(large), 0.3).shape[:2])) == (
        pytest.approx(2000),
        pytest.approx(3000, rel=1e-3),
    )


def look_at(large: Look) -> Look:
    return replace(large, detections=None)


def test_what_is_below_the_threshold_is_not_shown() -> None:
    assert [row[:3] for row in view.table(look(found()), 0.3)] == [
        (1, "<b>sky</b>", 0.9),
        (2, "kite", 0.4),
    ]
    (row,) = view.table(look(found()), 0.5)
    assert row[3:] == ("bird", 0.05)
    assert (view.draw(look(found()), 0.3) != view.draw(look(found()), 0.5)).any()


def test_the_status_is_html_without_what_people_typed_as_html() -> None:
    line = view.status(replace(look(found()), notes=("<i>",), name_seconds=0.003), 0.5)
    assert "1 &lt;b&gt;sky&lt;/b&gt;" in line and "Not found: kite, bird." in line
    assert "Image 500 ms, once; these names 3 ms" in line and "&lt;i&gt;" in line
    assert "<i>" not in line


def test_the_status_says_what_came_nearest() -> None:
    assert "nearest: &lt;b&gt;sky&lt;/b&gt; (0.9)" in view.status(look(found()), 0.95)
    none = replace(found()[:0], nearest=("kite", 0.012))
    assert "nearest: kite (0.012)" in view.status(look(none), 0.3)
    assert view.status(look(found()[:0]), 0.3).startswith("<b>Nothing found</b>.")
    assert view.status(look(None), 0.3) == "Type what to look for."


def test_a_crop_is_large_enough_to_be_seen() -> None:
    one = replace(found(), image=np.zeros((50, 100, 3), np.uint8))[1]
    assert view.crop(one).shape == (90, 180, 3)
