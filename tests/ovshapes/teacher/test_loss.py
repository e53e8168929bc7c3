"""The contrast within groups."""

from __future__ import annotations

import open_clip
import torch

from ovdistill.ovshapes.teacher.loss import group_loss


def test_group_loss_has_no_false_negatives() -> None:
    generator = torch.Generator().manual_seed(0)
    image, text = torch.nn.functional.normalize(torch.randn(2, 4, 8, generator=generator), dim=-1)
    labels, scale = torch.tensor([0, 1, 0, 1]), torch.tensor(5.0)
    loss = group_loss(image, text[:2], labels, scale)
    clip = open_clip.ClipLoss()
    expected = (clip(image[:2], text[:2], scale) + clip(image[2:], text[:2], scale)) / 2
    torch.testing.assert_close(loss, expected)
