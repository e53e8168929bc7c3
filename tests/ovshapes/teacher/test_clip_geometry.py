"""The map that gives OVShapes' teacher CLIP's geometry: its statistics and its content."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.teacher.clip_geometry import (
    CLIP,
    _encode_pool,
    build_clip_geometry,
    measure,
)
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary


def test_mean_cosines_by_hand():
    objects = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    names = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    found = measure(objects, torch.tensor([0, 1]), names)
    assert (found.own, found.other) == pytest.approx((0.9, 0.3))
    assert (found.images, found.texts) == pytest.approx((0.6, 0.0))


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes"))


def test_the_shipped_map_has_clip_s_statistics_and_keeps_the_order_of_names(teacher):
    """On other images than it was made from."""
    shipped = build_teacher(dict(model="ovshapes", embedding_map="ovshapes-clip"))
    objects, categories = _encode_pool(teacher, 60)
    names = Vocabulary.encode(category_names(), teacher, TEMPLATES["single"]).embeddings
    mapped = shipped.embedding_map.images(objects), shipped.embedding_map.texts(names)
    found = measure(mapped[0], categories, mapped[1])
    for key in ("own", "other", "images", "texts"):
        assert getattr(found, key) == pytest.approx(getattr(CLIP, key), abs=0.02)
    before, after = (objects @ names.T).argmax(dim=1), (mapped[0] @ mapped[1].T).argmax(dim=1)
    assert float((before == after).float().mean()) > 0.99
    assert float((after == categories).float().mean()) > 0.95
    # the constants of both modalities lie in few dimensions, as CLIP's
    gap = (mapped[0].mean(dim=0) - mapped[1].mean(dim=0)).square()
    assert float(gap.sort(descending=True).values[:4].sum() / gap.sum()) > 0.9


def test_another_seed_gives_other_directions_and_the_same_statistics(teacher):
    made = build_clip_geometry(teacher, images=40, seed=3)
    shipped = build_teacher(dict(model="ovshapes", embedding_map="ovshapes-clip")).embedding_map
    objects, categories = _encode_pool(teacher, 40)
    names = Vocabulary.encode(category_names(), teacher, TEMPLATES["single"]).embeddings
    found = measure(made.images(objects), categories, made.texts(names))
    assert found.own == pytest.approx(CLIP.own, abs=1e-3)
    assert found.texts == pytest.approx(CLIP.texts, abs=1e-3)
    unit = normalize(torch.randn(20, 128), dim=1)
    assert not torch.allclose(made.images(unit), shipped.images(unit), atol=0.05)
