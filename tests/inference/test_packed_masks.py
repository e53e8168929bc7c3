"""Masks that are held in little memory."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.inference.packed_masks import PackedMasks


def masks() -> np.ndarray:
    """(3, 5, 7) bool: nothing, a part, everything; 35 pixels, which fill no whole bytes."""
    found = np.zeros((3, 5, 7), bool)
    found[1, 1:3, 2:6] = found[2] = True
    return found


@pytest.mark.parametrize(
    "key", [slice(None), slice(1, 3), np.array([2, 0, 2]), masks()[:, 2, 2], np.zeros(0, int)]
)
def test_masks_are_those_that_were_packed(key: slice | np.ndarray) -> None:
    packed = PackedMasks.of(masks(), (5, 7))[key]
    assert packed.shape == masks()[key].shape and len(packed) == len(masks()[key])
    unpacked = packed.unpack()
    assert unpacked.dtype == bool and unpacked.flags.writeable
    np.testing.assert_array_equal(unpacked, masks()[key])
    for mask, expected in zip(packed, masks()[key], strict=True):
        np.testing.assert_array_equal(mask, expected)


def test_packed_masks_are_small() -> None:
    large = np.zeros((2, 480, 640), bool)
    large[1, 100:300, 50:500] = True
    assert sum(map(len, PackedMasks.of(large, (480, 640)).parts)) < large.nbytes / 500
