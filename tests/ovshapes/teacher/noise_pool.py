"""Images of noise with objects of all kinds, which are made faster than drawn ones."""

from __future__ import annotations

import numpy as np

from ovdistill.ovshapes.teacher.data import NUM_KINDS, Pool, make_pool


def noise_pool() -> Pool:
    """All 520 kinds in 40 images of noise: enough for the mechanics."""
    rng = np.random.default_rng(0)
    images = []
    for start in range(0, NUM_KINDS, 13):
        image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        objects = [
            (np.array([4, 4, 40, 30], np.float32), kind) for kind in range(start, start + 13)
        ]
        images.append((image, "a red star", objects))
    return make_pool(images)
