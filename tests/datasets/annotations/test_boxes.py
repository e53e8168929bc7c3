"""Which boxes of an annotation file are used."""

import json
import math

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.boxes import is_good, is_large_enough

WIDTH, HEIGHT = 40, 30


def read(tmp_path, *boxes: object) -> Annotations:
    """Read a file with these boxes, and a good one first."""
    records = [
        dict(id=number, image_id=1, category_id=1, bbox=box)
        for number, box in enumerate([[5, 5, 9, 9], *boxes])
    ]
    images = [dict(id=1, file_name="a.png", width=WIDTH, height=HEIGHT)]
    categories = [dict(id=1, name="cup")]
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(dict(images=images, annotations=records, categories=categories)))
    return read_annotations(path)


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        *(([1, 1, 0, 5], "bbox_size"), ([1, 1, 5, -5], "bbox_size")),
        *(([1, 1, -1e308, 5], "bbox_size"), ([1, 1, -0.0, 5], "bbox_size")),
        *(([40, 1, 5, 5], "bbox_outside"), ([-5, 1, 5, 5], "bbox_outside")),
        *(([1, 1e308, 5, 5], "bbox_outside"), ([1, 1, 1e308, 5], "bbox_far")),
        *(([-1e308, 1, 1e308, 5], "bbox_outside"), ([-1e6, 1, 2e6, 5], "bbox_far")),
        *(([math.nan, 1, 5, 5], "bbox"), ([1, 1, math.inf, 5], "bbox"), ([1, 2, 3], "bbox")),
        *(([1, 1, 10**400, 5], "bbox_far"), (["1", "1", "0", "5"], "bbox_size")),
    ],
)  # fmt: skip
def test_boxes_that_are_left_out(tmp_path, box, kind, caplog):
    found = read(tmp_path, box)
    assert len(found.annotations) == 1 and found.dropped == {kind: 1}
    (record,) = caplog.records
    assert "annotation 1 " in record.getMessage() and "bbox" in record.getMessage()


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        *(([30, 20, 20, 5], "partly_outside"), ([-5, -5, 60, 60], "partly_outside")),
        *(([5, 5, 0.5, 9], "tiny"), ([5, 5, 9, 9], None), ([0, 0, 40.4, 30], None)),
    ],
)
def test_boxes_that_are_kept(tmp_path, box, kind, caplog):
    found = read(tmp_path, box)
    assert found.annotations[1]["bbox"] == box and not caplog.records
    assert kind is None or found.report.counts[kind] == 1


@pytest.mark.parametrize(
    ("box", "large"),
    [
        *(([39.99999, 5, 9, 9], False), ([5, 29.5, 9, 9], False), ([-8.5, 5, 9, 9], False)),
        *(([5, -8.5, 9, 9], False), ([39, 5, 9, 9], True), ([-8, -8, 9, 9], True)),
        *(([5, 5, 0.9, 9], False), ([-50, -50, 200, 200], True)),
        ([20.1, 20.1, 1.0, 1.0], True),  # 20.1 + 1 - 20.1 is below 1
    ],
)
def test_the_part_in_the_image_is_measured(tmp_path, box, large):
    assert is_large_enough(box, (WIDTH, HEIGHT)) == large
    assert read(tmp_path, box).report.counts["tiny"] == (not large)


def test_numbers_as_text_are_numbers(tmp_path):
    found = read(tmp_path, ["1", " 2.5", "3e0", 4])
    assert found.annotations[1]["bbox"] == [1, 2.5, 3, 4]


def test_boxes_in_parts_of_the_image(tmp_path):
    with pytest.raises(UserError, match="10 of the 11 boxes .* pixels"):
        read(tmp_path, *[[0.1, 0.2, 0.5, 0.5]] * 10)
    assert len(read(tmp_path, [0.1, 0.2, 0.5, 0.5]).annotations) == 2  # a single one is a box


def test_a_box_may_be_larger_than_its_image_but_not_absurdly():
    assert is_good([-100, -100, 300, 300], (40, 30))
    assert not is_good([-500, 0, 600, 10], (40, 30))
