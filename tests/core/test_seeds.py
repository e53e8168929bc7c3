"""Random numbers of a block."""

import torch

from ovdistill.core.seeds import drawn_by


def test_a_block_draws_by_its_seed_and_leaves_the_others_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    drawn = []
    for _ in range(2):
        with drawn_by(7):
            drawn.append(torch.rand(2))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], expected)
    assert torch.equal(torch.rand(2), expected)
