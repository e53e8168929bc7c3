"""UPT's network by hand."""

import pytest
import torch

from ovdistill.teacher_training.adapt.upt.network import PromptNetwork


def test_it_starts_at_the_teacher_as_it_is():
    start = torch.randn(3, 8)
    network = PromptNetwork(3, 2, 8, 5, start)
    context, values = network()
    assert torch.equal(context, start)
    assert values.shape == (3, 5) and not values.any()
    (context.sum() + values.sum()).backward()
    assert network.to_frame.weight.grad.abs().sum() > 0


def test_equations_3_and_4_by_hand():
    """With SA(U) = (1, 0) and FFN = (0, 2): U' = LN(U) + (1, 0), P = (0, 2) + LN(U')."""
    network = PromptNetwork(1, 1, 2, 1, torch.zeros(1, 2))
    with torch.no_grad():
        for parameter in (*network.attention.parameters(), *network.feed_forward.parameters()):
            parameter.zero_()
        network.attention.out_proj.bias[0] = 1
        network.feed_forward[2].bias[1] = 2
        network.shared.copy_(torch.tensor([[1.0, 3.0], [6.0, 2.0]]))
        # LN gives (-1, 1) and (1, -1), U' is (0, 1) and (2, -1), whose LN is (-1, 1) and (1, -1)
        torch.testing.assert_close(
            network.prompts(), torch.tensor([[-1.0, 3.0], [1.0, 1.0]]), atol=1e-4, rtol=0
        )
        network.to_text.weight.copy_(torch.eye(2))
        network.to_frame.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [1, 1]]))
        context, values = network()
    torch.testing.assert_close(context, torch.tensor([[-1.0, 3.0]]), atol=1e-4, rtol=0)
    torch.testing.assert_close(values, torch.tensor([[1.0], [1.0], [2.0]]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("visual", [1, 4, 7])
def test_any_number_of_visual_prompts_makes_the_frame(visual):
    network = PromptNetwork(2, visual, 12, 10, torch.zeros(2, 12))
    torch.nn.init.normal_(network.to_frame.weight)
    _, values = network()
    assert values.shape == (3, 10) and values.unique().numel() == 30
