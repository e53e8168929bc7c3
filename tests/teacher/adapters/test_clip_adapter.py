"""CLIP-Adapter's formula by hand."""

import pytest
import torch

from ovdistill.teacher import ClipAdapter
from ovdistill.teacher.adapters.formulas import mix_bottleneck


def test_the_mixture_by_hand():
    embeddings = torch.tensor([[0.6, 0.8]])
    down = torch.tensor([[1.0, 1.0]])  # 1.4
    up = torch.tensor([[2.0], [-1.0]])  # 2.8 and, after the relu, 0
    # half of (2.8, 0) and half of (0.6, 0.8): (1.7, 0.4)
    expected = torch.tensor([[1.7, 0.4]]) / (1.7**2 + 0.4**2) ** 0.5
    torch.testing.assert_close(mix_bottleneck(embeddings, down, up, 0.5), expected)
    torch.testing.assert_close(mix_bottleneck(embeddings, -down, up, 0.2), embeddings)


def test_a_modality_without_a_share_stays():
    adapter = ClipAdapter(8, image_ratio=0.0, text_ratio=0.5)
    assert {*adapter.state_dict()} == {"text_down", "text_up"}
    embeddings = torch.nn.functional.normalize(torch.randn(3, 8), dim=1)
    assert adapter.adapt_images(embeddings) is embeddings
    assert not torch.allclose(adapter.adapt_texts(embeddings), embeddings)


@pytest.mark.parametrize("wrong", [dict(image_ratio=-0.1), dict(text_ratio=1.5), dict(reduction=9)])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError):
        ClipAdapter(8, **wrong)
