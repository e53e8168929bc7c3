"""The adapters' formulas by hand."""

import math

import torch

from ovdistill.teacher.adapters.formulas import affinity, cache_logits, mix_bottleneck


def test_the_bottleneck_by_hand():
    embeddings = torch.tensor([[0.6, 0.8]])
    down = torch.tensor([[1.0, 1.0]])  # 1.4
    up = torch.tensor([[2.0], [-1.0]])  # 2.8 and, after the relu, 0
    # half of (2.8, 0) and half of (0.6, 0.8): (1.7, 0.4)
    expected = torch.tensor([[1.7, 0.4]]) / (1.7**2 + 0.4**2) ** 0.5
    torch.testing.assert_close(mix_bottleneck(embeddings, down, up, 0.5), expected)
    torch.testing.assert_close(mix_bottleneck(embeddings, -down, up, 0.2), embeddings)


def test_the_cache_by_hand():
    keys = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    found = affinity(torch.tensor([[1.0, 0.0]]), keys, torch.tensor([1, 1, 0]), 3, beta=2.0)
    # cosines 1, 0.6 and 0
    expected = torch.tensor([[math.exp(-2), 1 + math.exp(-0.8), 0.0]])
    torch.testing.assert_close(found, expected)
    logits = cache_logits(torch.tensor([[10.0, 20.0, 30.0]]), found, alpha=3.0)
    torch.testing.assert_close(logits, torch.tensor([[10.0, 20.0, 30.0]]) + 3 * expected)
