"""Images with too many pixels are reduced, whatever their shape."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.inference.large_images import reduce_image


def test_an_image_that_is_small_enough_is_not_touched() -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    assert reduce_image(image, 1200) is image


@pytest.mark.parametrize("size", [(300, 400), (1, 5000), (5000, 3), (1201, 1), (31, 40)])
def test_the_result_has_few_pixels_and_the_same_colours(size) -> None:
    image = np.full((*size, 3), (10, 90, 200), np.uint8)
    small = reduce_image(image, 1200)
    assert 0 < small.shape[0] * small.shape[1] <= 1200
    assert (small == (10, 90, 200)).all()


def test_proportions_stay() -> None:
    assert reduce_image(np.zeros((300, 400, 3), np.uint8), 1200).shape == (30, 40, 3)
