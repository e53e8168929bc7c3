"""The scores of all names at the pixels of an image."""

from __future__ import annotations

from weakref import ref

import numpy as np
import torch

from ovdistill.inference.score_maps import ScoreMaps
from ovdistill.segmentation.best_names import MOST_VALUES


def test_the_scores_of_other_pixels_are_not_kept_while_names_are_ranked():
    given = np.random.default_rng(0).random((4, 3, 5), dtype=np.float32)
    held: list[ref[np.ndarray]] = []

    def scores(names: slice) -> torch.Tensor:
        assert names.stop - names.start == 1
        assert all(earlier() is None for earlier in held)
        part = given[names].copy()
        held.append(ref(part))
        return torch.from_numpy(part)

    maps = ScoreMaps(scores, tuple("abcd"), (3, 5), (6, 10), pixels=MOST_VALUES)
    found = maps.ranked(x=4, y=3)  # of an image twice as large
    assert dict(found) == dict(zip("abcd", given[:, 1, 2].tolist(), strict=True))
    assert [score for _, score in found] == sorted(given[:, 1, 2].tolist(), reverse=True)
    assert len(held) == 4
