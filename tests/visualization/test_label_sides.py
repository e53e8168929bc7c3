"""Labels stay on their side of a moving box."""

from __future__ import annotations

from ovdistill.visualization.label_layout import overlap
from ovdistill.visualization.label_sides import LabelSides

CANVAS, SIZE = (200, 100), (40, 10)


def side(box, area) -> str:
    """Return where a label is, seen from its box."""
    return "above" if area[3] <= box[1] else "below" if area[1] >= box[3] else "inside"


def place(sides: LabelSides, *boxes, numbers=None):
    return sides.place(boxes, [SIZE] * len(boxes), numbers or [0] * len(boxes), CANVAS)


def test_a_label_stands_above_its_box_and_moves_with_it() -> None:
    sides = LabelSides()
    for x in range(0, 100, 7):
        (area,) = place(sides, (x, 30, x + 50, 60), numbers=[1])
        assert area == (x, 20, x + 40, 30)


def test_a_label_that_left_the_frame_stays_below_when_there_is_room_again() -> None:
    sides = LabelSides()
    found = []
    for y in (20, 5, 20):
        box = (10, y, 60, y + 30)
        found.append(side(box, *place(sides, box, numbers=[1])))
    assert found == ["above", "below", "below"]
    box = (10, 20, 60, 50)
    assert side(box, *place(sides, box)) == "above"  # another object, without a number


def test_a_new_label_gives_way_to_one_that_has_its_place() -> None:
    sides = LabelSides()
    old, new = (50, 40, 90, 80), (55, 40, 95, 80)
    before = place(sides, old, numbers=[7])[0]
    areas = place(sides, new, old, numbers=[8, 7])
    assert areas[1] == before
    assert overlap(*areas) == 0


def test_labels_lie_inside_the_frame() -> None:
    for box in ((-30, -20, 5, 5), (190, 90, 240, 130), (0, 0, 199, 99)):
        ((x1, y1, x2, y2),) = place(LabelSides(), box)
        assert 0 <= x1 < x2 < 200 and 0 <= y1 < y2 < 100


def test_a_frame_that_is_smaller_than_its_label() -> None:
    assert LabelSides().place([(0, 0, 5, 5)], [(40, 10)], [1], (8, 8)) == [(0, 0, 40, 10)]
