"""The fusion of image and text."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from ovdistill.teacher_training.fusion import FusedStates, Fusion

SIZES = SimpleNamespace(image_width=5, text_width=3)  # all that it asks of the towers


def _fuse(image: torch.Tensor, text: torch.Tensor, is_text: torch.Tensor) -> FusedStates:
    torch.manual_seed(0)
    return Fusion(SIZES, width=8, layers=1, heads=2)(image, text, is_text)


def test_shapes_and_the_order_of_positions() -> None:
    image, text = torch.randn(2, 5, 3, 4), torch.randn(2, 6, 3)
    used = torch.ones(2, 6, dtype=torch.bool)
    fused = _fuse(image, text, used)
    assert fused.pair.shape == (2, 8) and fused.text.shape == (2, 6, 8)
    assert fused.image.shape == (2, 8, 3, 4)
    # positions of the image are a set: a map that is mirrored gives mirrored states
    mirrored = _fuse(image.flip(3), text, used)
    torch.testing.assert_close(mirrored.image.flip(3), fused.image)
    torch.testing.assert_close(mirrored.pair, fused.pair)


def test_nothing_attends_to_padding() -> None:
    image, text = torch.randn(2, 5, 2, 2), torch.randn(2, 4, 3)
    used = torch.tensor([[True, True, False, False], [True, True, True, True]])
    fused = _fuse(image, text, used)
    text = text.clone()
    text[0, 2:] += 10
    changed = _fuse(image, text, used)
    torch.testing.assert_close(changed.pair, fused.pair)
    torch.testing.assert_close(changed.image, fused.image)
    text[1, 2:] += 10
    assert not torch.allclose(_fuse(image, text, used).pair[1], fused.pair[1])
