"""How many candidates come before the right one."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.evaluation.ranks import own_ranks


def test_by_hand():
    similarities = torch.tensor([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5], [0.2, 0.2, 0.3]])
    assert own_ranks(similarities, torch.tensor([0, 2, 1])).tolist() == [0, 1, 2]


def test_where_all_are_equal_the_right_one_is_first_by_chance_only():
    similarities, own = torch.zeros(4, 4), torch.arange(4)
    assert own_ranks(similarities, own).tolist() == [0, 1, 2, 3]
    assert ((own_ranks(similarities, own) == 0) == (similarities.argmax(1) == own)).all()


def test_nothing_is_ranked_by_nan():
    with pytest.raises(UserError, match="NaN"):
        own_ranks(torch.full((2, 3), torch.nan), torch.tensor([0, 2]))
