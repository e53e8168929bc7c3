"""The choice of alpha and beta."""

import torch

from ovdistill.teacher_training.adapt.tip_adapter.search import search


def test_the_best_on_held_out_regions():
    similarities = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    labels = torch.tensor([0, 1])

    def affinities_of(beta):
        # with beta 2 the cache knows the second region, with beta 1 it confuses both
        return torch.tensor([[0.0, 0.1], [0.0, 1.0]]) if beta == 2 else torch.ones(2, 2)

    assert search(similarities, affinities_of, labels, (0.5, 2.0, 4.0), (1.0, 2.0)) == (2, 2, 1)
    # of equals the smallest alpha and beta
    assert search(similarities, affinities_of, labels[:1].expand(2), (0.5, 2.0), (1.0, 2.0)) == (
        0.5,
        1.0,
        1.0,
    )
