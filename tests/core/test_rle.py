"""Run lengths are those of pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from ovdistill.core.rle import encode_rle


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (37, 21), (200, 300)])
def test_the_same_text_as_pycocotools(size, share):
    masks = [np.random.default_rng(0).random(size) < share, np.zeros(size, dtype=bool)]
    masks[1][size[0] // 3 :, size[1] // 2 :] = True
    for mask in masks:
        expected = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
        assert encode_rle(mask) == {"size": [*size], "counts": expected["counts"].decode()}
