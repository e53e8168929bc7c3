"""Few-shot samples: k of each class, the same for a seed."""

import torch

from ovdistill.teacher_training.adapt.few_shot import draw_shots, rank_in_class

LABELS = torch.tensor([3, 0, 3, 3, 7, 0, 3, 7, 7, 7])


def test_ranks_count_what_came_before():
    assert rank_in_class(LABELS).tolist() == [0, 0, 1, 2, 0, 1, 3, 1, 2, 3]
    assert rank_in_class(torch.zeros(0, dtype=torch.int64)).tolist() == []


def test_k_of_each_class_are_drawn():
    rows = draw_shots(LABELS, 3, seed=1)
    assert LABELS[rows].bincount().tolist() == [2, 0, 0, 3, 0, 0, 0, 3]
    assert torch.equal(rows, rows.sort().values) and len(rows.unique()) == len(rows)
    assert torch.equal(rows, draw_shots(LABELS, 3, seed=1))
    drawn = {tuple(draw_shots(LABELS, 2, seed=seed).tolist()) for seed in range(20)}
    assert len(drawn) > 3
    assert torch.equal(draw_shots(LABELS, 99), torch.arange(len(LABELS)))
