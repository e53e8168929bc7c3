"""LoRA by hand, and merged."""

import copy

import torch
from torch import nn

from ovdistill.teacher_training.adapt.fine_tune.low_rank import (
    LowRank,
    add_low_rank,
    merge_low_rank,
)


def test_the_formula_by_hand():
    change = LowRank(torch.eye(2), rank=1)
    change.down.data.copy_(torch.tensor([[3.0, 4]]))
    change.up.data.copy_(torch.tensor([[1.0], [2]]))
    assert change(torch.eye(2)).tolist() == [[4, 4], [6, 9]]


def test_a_convolution_is_a_matrix_of_its_rows():
    weight = torch.randn(4, 2, 3, 3)
    change = LowRank(weight, rank=99)
    assert change.down.shape == (4, 18) and change.up.shape == (4, 4)
    change.up.data.normal_()
    difference = (change(weight) - weight).reshape(4, 18)
    torch.testing.assert_close(difference, change.up @ change.down, atol=1e-5, rtol=1e-4)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 2)
        self.norm = nn.BatchNorm2d(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.out = nn.Linear(8, 5)

    def forward(self, images):
        tokens = self.norm(self.conv(images)).flatten(2).mT
        return self.out(self.attention(tokens, tokens, tokens, need_weights=False)[0])


def test_merged_weights_are_an_ordinary_model():
    model = Small().requires_grad_(requires_grad=False).eval()
    before = copy.deepcopy(model)
    images = torch.rand(2, 3, 5, 5)
    learned = add_low_rank(model, 2)
    assert len(learned) == 2 * 4  # of conv, packed and last projection of the attention, out
    torch.testing.assert_close(model(images), before(images))
    model(images).square().mean().backward()
    assert all(p.grad is not None for p in learned) and model.norm.weight.grad is None
    for parameter in learned:
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    tuned = model(images)
    assert not torch.allclose(tuned, before(images), atol=1e-3)
    merge_low_rank(model)
    assert {*model.state_dict()} == {*before.state_dict()}
    torch.testing.assert_close(model(images), tuned)
    for name in ("conv.weight", "attention.in_proj_weight", "out.weight"):
        assert (
            torch.linalg.matrix_rank(
                (model.state_dict()[name] - before.state_dict()[name]).flatten(1).detach(),
                atol=1e-4,
            )
            == 2
        )
    assert torch.equal(model.norm.weight, before.norm.weight)
