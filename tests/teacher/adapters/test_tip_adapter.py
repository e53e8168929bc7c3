"""Tip-Adapter as a teacher's embeddings: the cosines are the formula's logits."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher import NamedAdapter, TipAdapter, read_adapter, write_adapter
from ovdistill.teacher.adapters.formulas import affinity, cache_logits

WIDTH, CLASSES, SHOTS = 16, 4, 3
ALPHA, BETA, TAU = 2.0, 5.5, 0.07


def units(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(count, WIDTH, generator=generator, dtype=torch.float64), dim=1)


@pytest.fixture(scope="module")
def texts():
    """Embeddings of base names, and of three others."""
    return units(CLASSES + 3, seed=0)


@pytest.fixture(scope="module")
def adapter(texts):
    keys = units(CLASSES * SHOTS, seed=1).float()
    classes = torch.arange(CLASSES).repeat_interleave(SHOTS)
    base = texts[:CLASSES].float()
    return TipAdapter.of_cache(keys, classes, base, torch.arange(CLASSES), ALPHA, BETA, TAU)


def formula(regions, texts, adapter):
    similarities = regions @ texts.T / TAU
    found = affinity(regions, adapter.keys.double(), adapter.key_classes, CLASSES, BETA)
    none = torch.zeros(len(regions), len(texts) - CLASSES, dtype=torch.float64)
    return cache_logits(similarities, torch.cat([found, none], dim=1), ALPHA)


def test_cosines_are_the_logits(adapter, texts):
    regions = units(500, seed=2)
    wide, names = adapter.adapt_images(regions), adapter.adapt_texts(texts)
    assert wide.shape == (500, WIDTH + CLASSES + 2) == (500, adapter.embed_dim_after(WIDTH))
    torch.testing.assert_close(wide.norm(dim=1), torch.ones(500).double())
    torch.testing.assert_close(names.norm(dim=1), torch.ones(len(names)).double())
    logits = formula(regions, texts, adapter)
    torch.testing.assert_close(wide @ names.T / adapter.temperature, logits)
    assert torch.equal((wide @ names.T).argsort(dim=1), logits.argsort(dim=1))
    assert not torch.equal((regions @ texts.T).argmax(dim=1), logits.argmax(dim=1))


def test_the_rounding_of_a_store_keeps_the_ranking(adapter, texts):
    regions = units(500, seed=3)
    stored = adapter.adapt_images(regions).half().double()
    nearest = (stored @ adapter.adapt_texts(texts).T).argmax(dim=1)
    right = nearest == formula(regions, texts, adapter).argmax(dim=1)
    assert right.double().mean() > 0.98


def test_a_region_on_the_keys_of_all_classes_keeps_unit_norm():
    key = units(1, seed=4).float()
    classes = torch.arange(2).repeat_interleave(5)
    names = units(2, seed=5).float()
    adapter = TipAdapter.of_cache(
        key.expand(10, -1), classes, names, torch.arange(2), ALPHA, BETA, TAU
    )
    wide = adapter.adapt_images(key.double())
    torch.testing.assert_close(wide.norm(dim=1), torch.ones(1).double())
    assert float(wide[0, -2]) == pytest.approx(0, abs=1e-3)  # nothing is left to fill


def test_a_name_in_other_words_counts_as_a_new_one(adapter, texts):
    names = adapter.adapt_texts(normalize(texts[:1] + 0.05, dim=1))
    assert (names[0, WIDTH:-1] == 0).all() and names[0, -1] > 0
    rounded = adapter.adapt_texts(texts[:1].float().double())
    assert rounded[0, WIDTH] > 0 and rounded[0, -1] == 0


def test_it_comes_back_from_its_file(adapter, tmp_path):
    path = tmp_path / "cache.safetensors"
    write_adapter(path, NamedAdapter("cache", TeacherId("tiny", "00"), adapter))
    found = read_adapter(path).adapter
    assert found.settings == adapter.settings and found.temperature == adapter.temperature
    assert found.digest == adapter.digest
    regions = units(5, seed=6)
    assert torch.equal(found.adapt_images(regions), adapter.adapt_images(regions))


def test_values_that_do_not_fit_are_refused(adapter, tmp_path):
    path = tmp_path / "cache.safetensors"
    with pytest.raises(ValueError):
        TipAdapter(WIDTH, 1, 1, 1, alpha=0.0, beta=1.0, tau=1.0)
    with pytest.raises(UserError, match=f"width {WIDTH}"):
        adapter.embed_dim_after(WIDTH + 1)
    for wrong in (-1, CLASSES):
        broken = TipAdapter(**adapter.settings)
        broken.key_classes.fill_(wrong)
        write_adapter(path, NamedAdapter("cache", TeacherId("tiny", "00"), broken))
        with pytest.raises(UserError, match="key_classes are not in"):
            read_adapter(path)
