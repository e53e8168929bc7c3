"""Centring: the means are gone, and the temperature grows with the spread."""

import torch
from torch.nn.functional import normalize

from ovdistill.core.centring import centring_map, principal_directions
from ovdistill.core.teacher_id import TeacherId


def test_offsets_are_removed_and_the_temperature_grows():
    content = normalize(torch.randn(300, 30), dim=1)
    regions = normalize(torch.cat([content, torch.full((300, 1), 1.5)], dim=1), dim=1)
    texts = normalize(torch.cat([content[:20], torch.full((20, 1), -2.0)], dim=1), dim=1)
    found = centring_map(regions, texts, TeacherId("t"), temperature=0.01)
    after = found.images(regions)
    assert float(regions.mean(dim=0).norm()) > 0.8 and float(after.mean(dim=0).norm()) < 0.15
    # means and content are orthogonal here: a cosine grows by the factors that both sides lost
    assert 0.03 < found.temperature < 0.05
    own = (after[:20] * found.texts(texts)).sum(dim=1)
    assert float(own.min()) > 0.9


def test_only_directions_in_which_regions_differ_are_kept():
    torch.manual_seed(0)
    content = normalize(torch.randn(300, 5), dim=1)
    zeros, ones = torch.zeros(300, 5), torch.ones(300, 1)
    regions = normalize(torch.cat([content, zeros, 1.5 * ones], dim=1), dim=1)
    # the texts say of 20 regions what is seen, and as much that no image shows
    unseen = normalize(torch.randn(20, 5), dim=1)
    texts = normalize(torch.cat([content[:20], unseen, -2 * ones[:20]], dim=1), dim=1)
    own = {}
    for variance in (None, 0.999):
        found = centring_map(regions, texts, TeacherId("t"), variance=variance)
        own[variance] = (found.images(regions[:20]) * found.texts(texts)).sum(dim=1)
    assert found.images(regions).shape == (300, 5) and found.name == "centred5"
    assert float(own[None].mean()) < 0.8 and float(own[0.999].min()) > 0.9
    # the direction of the greatest variance first
    rows = torch.tensor([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert principal_directions(rows, 0.9).abs().tolist() == [[1, 0, 0]]
    assert principal_directions(rows, 0.95).abs().tolist() == [[1, 0, 0], [0, 1, 0]]
