"""The losses and formulas of the methods, by hand."""

import math

import torch

from ovdistill.teacher_training.adapt.linear_probe.loss import mix_weights
from ovdistill.teacher_training.adapt.loss import name_loss


def test_cross_entropy_of_names():
    images = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    texts = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # cosines over 0.5: (2, 0) of class 0 and (1.2, 1.6) of class 0
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(0.4))) / 2
    found = name_loss(images, texts, torch.tensor([0, 0]), temperature=0.5)
    torch.testing.assert_close(found, torch.tensor(expected))


def test_a_mixture_of_directions():
    weights, texts = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    expected = torch.tensor([[0.25, 0.75]]) / math.hypot(0.25, 0.75)
    torch.testing.assert_close(mix_weights(weights, texts, 0.25), expected)
    assert torch.equal(mix_weights(weights, texts, 0.0), texts)
    assert torch.equal(mix_weights(weights, texts, 1.0), torch.tensor([[1.0, 0.0]]))
