"""Names of refined boxes: golden numbers."""

import pytest
import torch

from ovdistill.models.refined_names import rename


def test_golden_scores():
    first = torch.tensor([[0.32, 0.08, 0.6]]).log()  # object 0.4: names 0.8, 0.2
    second = torch.tensor([[0.05, 0.45, 0.5]]).log()  # names 0.1, 0.9
    assert torch.allclose(rename(first, second, 0.0), first, atol=1e-6)
    assert rename(first, second, 1.0).exp()[0].tolist() == pytest.approx([0.04, 0.36, 0.6])
    # 0.4 sqrt(0.8 0.1), 0.4 sqrt(0.2 0.9)
    assert rename(first, second, 0.5).exp()[0].tolist() == pytest.approx(
        [0.113137, 0.169706, 0.6], 1e-5
    )


def test_scores_of_sigmoids_end_at_one():
    first = torch.tensor([[0.9, 0.8, 0.0]]).log()
    second = torch.tensor([[0.6, 0.1, 0.0]]).log()
    assert torch.allclose(rename(first, second, 0.0), first, atol=1e-6)
    # 1.7 / 0.7 times the second look
    assert rename(first, second, 1.0).exp()[0].tolist() == pytest.approx([1, 0.242857, 0], 1e-5)
