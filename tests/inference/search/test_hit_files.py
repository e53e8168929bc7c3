"""What a search has found is drawn small, whatever the size of the images."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.inference.search.hit_files import LARGEST_SIDE, OUTLINE, crop_around, outlined


@pytest.mark.parametrize("size", [(3000, 2000), (40, 20), (4000, 2)])
def test_crops_have_one_size(size: tuple[int, int]) -> None:
    height, width = size
    crop = crop_around(np.zeros((*size, 3), np.uint8), (0, 0, width, height))
    assert crop.shape == (320, max(1, 320 * width // height), 3)
    assert (crop[0, 0] == OUTLINE).all()


def test_whole_images_are_reduced_to_what_a_screen_shows() -> None:
    drawn = outlined(np.zeros((3000, 4000, 3), np.uint8), (1000, 0, 4000, 3000))
    assert drawn.shape == (1200, LARGEST_SIDE, 3)
    assert (drawn[600, 400] == OUTLINE).all() and not drawn[600, 600].any()
    assert outlined(np.zeros((400, 600, 3), np.uint8), (0, 0, 9, 9)).shape == (400, 600, 3)
