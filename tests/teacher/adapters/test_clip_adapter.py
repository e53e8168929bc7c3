"""CLIP-Adapter: which embeddings it changes, and which settings it refuses."""

import pytest
import torch

from ovdistill.teacher import ClipAdapter


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
