"""The loss of CLIPSelf, by hand."""

import pytest
import torch

from ovdistill.teacher_training.refine.loss import self_distillation_loss


def test_by_hand():
    dense = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]])
    crops = torch.tensor([[5.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # cosines 1, 0 and 0.8
    assert self_distillation_loss(dense, crops).item() == pytest.approx((0 + 1 + 0.2) / 3)


def test_only_the_dense_side_learns():
    dense = torch.randn(4, 8, requires_grad=True)
    crops = torch.randn(4, 8, requires_grad=True)
    self_distillation_loss(dense, crops).backward()
    assert crops.grad is None
    # of a cosine: at right angles to the feature
    torch.testing.assert_close((dense.grad * dense).sum(1), torch.zeros(4), atol=1e-6, rtol=0)


def test_no_boxes():
    dense = torch.zeros(0, 8, requires_grad=True)
    loss = self_distillation_loss(dense, torch.zeros(0, 8))
    loss.backward()
    assert loss.item() == 0
