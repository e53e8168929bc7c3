"""Training data of the small teacher: kinds and batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.teacher.data import (
    CATEGORY,
    NUM_KINDS,
    CropSampler,
    draw_pool,
    kind_of,
    make_pool,
    phrase,
)
from ovdistill.teacher import CropPolicy

from .noise_pool import noise_pool


@pytest.fixture(scope="module")
def pool():
    return noise_pool()


def test_kinds_and_phrases():
    kind = kind_of("red", "striped", "star")
    assert phrase(kind) == "red striped star"
    names = [phrase(k, CATEGORY) for k in range(NUM_KINDS)]
    assert tuple(names[:65]) == category_names()


def test_batch_has_every_category_equally_often_and_no_kind_twice(pool):
    sampler = CropSampler(pool, 2, 32, CropPolicy(), seed=0)
    draw, kinds = sampler.draw_crops()
    crops = sampler.render(draw)
    assert crops.shape == (130, 3, 32, 32)
    assert 0 <= crops.min() and crops.max() <= 1
    assert len(set(kinds)) == 130
    assert np.bincount(kinds % 65).tolist() == [2] * 65
    other = CropSampler(pool, 2, 32, CropPolicy(), seed=0)
    draw, same = other.draw_crops()
    again = other.render(draw)
    assert torch.equal(crops, again) and (kinds == same).all()


def test_pool_without_a_kind_is_refused(pool):
    small = make_pool([(np.zeros((8, 8, 3), np.uint8), "", [(np.zeros(4, np.float32), 3)])])
    with pytest.raises(UserError, match="519 of 520 kinds"):
        CropSampler(small, 1, 32, CropPolicy(), seed=0)


def test_drawn_images_do_not_depend_on_the_workers():
    alone, together = draw_pool(3, 5, workers=1), draw_pool(3, 5, workers=2)
    assert alone.images.shape == (5, 3, 128, 128) and len(alone.captions) == 5
    assert torch.equal(alone.images, together.images) and torch.equal(alone.boxes, together.boxes)
    assert phrase(int(alone.kinds[0]), CATEGORY) in category_names()
    assert torch.equal(alone.image_index.unique(), torch.arange(5))
