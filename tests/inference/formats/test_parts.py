"""What the formats need of detections."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ovdistill.inference.formats.parts import full_mask

MASK = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [1, 1, 0, 1]], dtype=bool)


@pytest.mark.parametrize(
    "size, rows, columns",
    [
        ((6, 8), [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2, 3, 3]),
        ((5, 4), [0, 0, 1, 1, 2], [0, 1, 2, 3]),
        ((3, 6), [0, 1, 2], [0, 0, 1, 2, 2, 3]),
    ],
)
def test_a_mask_of_a_reduced_image_is_enlarged_without_opencv(
    size: tuple[int, int],
    rows: list[int],
    columns: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`OnnxDetector` runs where OpenCV is not installed."""
    monkeypatch.setitem(sys.modules, "cv2", None)
    found = full_mask(MASK, size)
    np.testing.assert_array_equal(found, MASK[rows][:, columns])
    assert found.dtype == bool and found.T.flags.c_contiguous
    assert full_mask(MASK, None) is full_mask(MASK, (3, 4)) is MASK
