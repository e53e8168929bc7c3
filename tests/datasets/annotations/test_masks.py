"""Masks are judged before pycocotools reads them."""

import math

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from ovdistill.datasets.annotations.masks import read_mask

WIDTH, HEIGHT = 12, 9
SIZE = (WIDTH, HEIGHT)
TRIANGLE = [1, 1, 8, 1, 8, 7]


def rle(counts: object, size: object = (HEIGHT, WIDTH)) -> dict:
    return dict(size=list(size) if isinstance(size, tuple) else size, counts=counts)


@pytest.mark.parametrize("value", [None, [], [[]], {}, "", 0])
def test_no_mask_is_no_problem(value):
    assert read_mask(value, SIZE) == (None, ())


@pytest.mark.parametrize(
    ("value", "kept", "kinds"),
    [
        ([TRIANGLE], [TRIANGLE], []),
        (TRIANGLE, [TRIANGLE], ["flat"]),
        ([TRIANGLE, [1, 2]], [TRIANGLE], ["polygon"]),
        ([[], TRIANGLE, [1, 2, 3, 4, 5, math.nan]], [TRIANGLE], ["polygon", "polygon"]),
    ],
)
def test_polygons_that_can_be_used(value, kept, kinds):
    mask = read_mask(value, SIZE)
    assert mask.segmentation == kept
    assert [kind for kind, _ in mask.problems] == kinds


BAD = [
    *([[1, 2, 3, 4]], [[1, 2, 3, 4, 5, 6, 7]], [1, 2], [["1", "2", "3", "4", "5", "6"]]),
    *([[math.nan] * 6], [[math.inf] * 6], [[1, 2, 3, 4, 5, None]], [None], ["text"], 3, "text"),
    *([[1e300] * 6], [[10**400] * 6], [[0, 0, 1e9, 0, 1e9, 1e9]], [[0, 0, 3e6, 0, 0, 9]]),
    *(rle([WIDTH * HEIGHT], (WIDTH, HEIGHT)), rle([10**10], (100_000, 100_000)), rle([1], "9")),
    *(rle([WIDTH * HEIGHT], None), rle([WIDTH * HEIGHT], [HEIGHT, True]), dict(counts=[108])),
    *(rle([]), rle(None), rle([107]), rle([-1, 109]), rle([54.0, 54.0]), rle(["108"]), rle(108)),
    *(rle(""), rle("ä"), rle("`"), rle("a"), rle("1"), rle("\x00"), rle("o" * 20 + "0")),
]


@pytest.mark.parametrize("value", BAD, ids=range(len(BAD)))
def test_masks_that_cannot_be_used(value):
    mask = read_mask(value, SIZE)
    assert mask.segmentation is None
    assert "mask" in [kind for kind, _ in mask.problems]


def test_compressed_run_lengths_are_those_of_pycocotools():
    rng = np.random.default_rng(0)
    for share in (0, 0.01, 0.1, 0.5, 0.9, 1):
        for height, width in ((1, 1), (9, 12), (300, 7), (2000, 1500)):
            pixels = (rng.random((height, width)) < share).astype(np.uint8)
            found = coco_mask.encode(np.asfortranarray(pixels))
            value = rle(found["counts"].decode(), (height, width))
            assert read_mask(value, (width, height)).segmentation == value
            assert read_mask(rle(value["counts"] + "1"), (width, height)).segmentation is None


def test_lists_of_run_lengths():
    value = rle([8, 100])
    assert read_mask(value, SIZE).segmentation == value


def test_a_long_outline_that_memory_can_hold():
    zigzag = [side for row in range(1500) for side in (1000 * (row % 2), row)]
    assert read_mask([zigzag], (1000, 1500)).segmentation == [zigzag]
    assert read_mask([zigzag * 2], (1000, 1500)).segmentation is None
