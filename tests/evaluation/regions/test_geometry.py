"""Mean cosines from sums are the means over all pairs."""

from itertools import combinations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.evaluation.regions.geometry import EmbeddingSums, gap_norm, measure_geometry
from ovdistill.evaluation.regions.matching import NO_OBJECT


def test_by_hand():
    """Two regions of class 0, one of class 1, one on no object; the texts are the axes."""
    sums = EmbeddingSums(2, 2)
    sums.add(torch.tensor([[1.0, 0], [0.6, 0.8]]), torch.tensor([0, 0]))
    sums.add(torch.tensor([[0.0, 1], [-1, 0]]), torch.tensor([1, NO_OBJECT]))
    found = measure_geometry(sums, torch.eye(2))
    pairs = {name: (mean.cosine, mean.pairs) for name, mean in vars(found).items()}
    assert pairs["own_name"] == pytest.approx(((1 + 0.6 + 1) / 3, 3))
    assert pairs["other_names"] == pytest.approx(((0 + 0.8 + 0) / 3, 3))
    assert pairs["different_classes"] == pytest.approx(((0 + 0.8) / 2, 2))
    assert pairs["same_class"] == pytest.approx((0.6, 1))
    assert pairs["between_names"] == (0, 1)
    # the sum of all four is (0.6, 1.8)
    assert pairs["regions_to_mean"] == pytest.approx((0.6 * 10**0.5 / 4, 4))
    assert pairs["names_to_mean"] == pytest.approx((0.5**0.5, 2))


def test_against_all_pairs():
    embeddings, texts = normalize(torch.randn(30, 5) + 1, dim=1), torch.randn(4, 5)
    labels = torch.randint(0, 4, (30,))
    sums = EmbeddingSums(4, 5)
    sums.add(embeddings[:17], labels[:17])
    sums.add(embeddings[17:], labels[17:])
    found = measure_geometry(sums, texts)
    cosines = {(i, j): float(embeddings[i] @ embeddings[j]) for i, j in combinations(range(30), 2)}
    for mean, same in ((found.same_class, True), (found.different_classes, False)):
        chosen = [c for (i, j), c in cosines.items() if (labels[i] == labels[j]) == same]
        assert mean.pairs == len(chosen)
        assert mean.cosine == pytest.approx(sum(chosen) / len(chosen), abs=1e-6)
    center = normalize(embeddings.mean(dim=0), dim=0)
    assert found.regions_to_mean.cosine == pytest.approx(float((embeddings @ center).mean()))
    unit = normalize(texts, dim=1)
    between = [float(unit[i] @ unit[j]) for i, j in combinations(range(4), 2)]
    assert found.between_names.cosine == pytest.approx(sum(between) / 6, abs=1e-6)


def test_without_texts_or_labels():
    sums = EmbeddingSums(2, 2)
    sums.add(torch.eye(2), torch.full((2,), NO_OBJECT))
    found = measure_geometry(sums, None)
    assert found.regions_to_mean.pairs == 2
    others = [mean for name, mean in vars(found).items() if name != "regions_to_mean"]
    assert all((mean.cosine, mean.pairs) == (None, 0) for mean in others)


def test_class_names_of_lvis_lie_in_a_cone(real_data):
    """CLIP ViT-B/32's own text embeddings of "a {name}", as RKD published them."""
    array = np.load(real_data / "clip_text" / "lvis_v1_clip_a+cname.npy")
    found = measure_geometry(EmbeddingSums(1203, 512), torch.from_numpy(array))
    assert found.between_names.pairs == 1203 * 1202 // 2
    assert found.between_names.cosine == pytest.approx(0.74, abs=0.005)
    assert found.names_to_mean.cosine == pytest.approx(0.86, abs=0.005)


def test_the_gap_by_hand():
    """The regions' mean is (0.3, 0.9), that of the names (0.5, 0.5): names of any length."""
    sums = EmbeddingSums(2, 2)
    assert gap_norm(sums, torch.eye(2)) is None
    sums.add(torch.tensor([[0.6, 0.8], [0.0, 1.0]]), torch.tensor([0, NO_OBJECT]))
    assert gap_norm(sums, 3 * torch.eye(2)) == pytest.approx((0.2**2 + 0.4**2) ** 0.5)
