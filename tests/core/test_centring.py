"""Centring: the means are gone, and the temperature grows with the spread."""

import torch
from torch.nn.functional import normalize

from ovdistill.core.centring import centring_map
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
