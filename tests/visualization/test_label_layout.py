"""Where labels go."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.visualization.label_layout import overlap, place_label, place_labels, place_tags

AROUND = [(x, y) for x in (0, 1, 2) for y in (0, 1, 2) if (x, y) != (1, 1)]


def test_labels_stay_inside_and_do_not_hide_one_another():
    rng = np.random.default_rng(0)
    canvas, size, taken = (640.0, 640.0), (150.0, 22.0), []
    for x, y in rng.uniform(-20, 600, (40, 2)):
        area = place_label((x, y, x + 100, y + 100), size, canvas, taken)
        assert 0 <= area[0] <= area[2] <= 640 and 0 <= area[1] <= area[3] <= 640
        assert area[2] - area[0] == pytest.approx(150)
        assert not any(overlap(area, other) for other in taken)
        taken.append(area)


def test_labels_have_room_or_there_are_none():
    apart = [(100.0 * i, 100.0, 100.0 * i + 60, 200.0) for i in range(5)]
    sizes = [(80.0, 20.0)] * 5
    areas = place_labels(apart, sizes, (640, 480))
    assert [area[1] for area in areas] == [80] * 5  # each on top of its box
    assert place_labels([], [], (640, 480)) == []
    assert place_labels(apart, [(95.0, 90.0)] * 5, (640, 480)) is None  # too much of the image
    assert place_labels(apart[:1], [(700.0, 20.0)], (640, 480)) is None
    assert place_labels(apart[:1], [(80.0, 20.0)], (640, 10)) is None
    assert place_labels([(100, 100, 120, 120)] * 20, [(80.0, 20.0)] * 20, (1000, 1000)) is None


def test_a_label_that_needs_a_line_to_its_box_is_none():
    # a small box, with others all around it
    others = [(90.0 + 40 * x, 90.0 + 40 * y, 129.0 + 40 * x, 129.0 + 40 * y) for x, y in AROUND]
    boxes = [(130.0, 130.0, 169.0, 169.0), *others]
    assert place_labels(boxes, [(90.0, 30.0)] * len(boxes), (2000, 2000)) is None


def test_tags_stand_on_the_edges_of_their_boxes():
    rng = np.random.default_rng(1)
    starts = rng.uniform(0, 580, (40, 2))
    boxes = [(x, y, x + 50, y + 50) for x, y in starts.tolist()]
    areas = place_tags(boxes, [(20.0, 16.0)] * 40, (640, 640))
    for area, box in zip(areas, boxes, strict=True):
        assert 0 <= area[0] and area[2] <= 640 and 0 <= area[1] and area[3] <= 640
        assert overlap((area[0] - 1, area[1] - 1, area[2] + 1, area[3] + 1), box)
    pairs = [(a, b) for i, a in enumerate(areas) for b in areas[:i]]
    assert sum(overlap(a, b) for a, b in pairs) < 0.02 * 40 * 20 * 16


def test_a_lone_label_sits_on_top_of_its_box():
    assert place_label((100, 100, 300, 200), (80, 20), (640, 480), []) == (100, 80, 180, 100)
    # no room above: below
    assert place_label((100, 5, 300, 200), (80, 20), (640, 480), [])[1] == 200
