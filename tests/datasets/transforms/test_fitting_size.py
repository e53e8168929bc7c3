"""The size to which an image is brought: fitted in, and enlarged no further than a limit."""

import pytest

from ovdistill.datasets.transforms.fitting_size import fitting_size


@pytest.mark.parametrize(
    ("size", "scale", "within", "expected"),
    [
        ((640, 480), (1333, 800), None, (1067, 800)),
        ((640, 480), (1333, 800), (2048, 2048), (1067, 800)),
        ((640, 480), (1333, 800), (800, 800), (800, 600)),
        ((640, 480), (1333, 800), (128, 128), (640, 480)),  # reduced by no limit
        ((128, 128), (1333, 800), (256, 128), (128, 128)),
        ((128, 96), (1333, 800), (1, 1), (128, 96)),
        ((4000, 3000), (1333, 800), (128, 128), (1067, 800)),
        ((3, 4000), (128, 128), None, (1, 128)),
    ],
)
def test_by_hand(size, scale, within, expected):
    assert fitting_size(size, scale, within) == expected
