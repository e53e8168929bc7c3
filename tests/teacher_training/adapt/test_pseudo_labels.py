"""Labels of the teacher's own, by hand."""

import torch
from torch.nn.functional import normalize

from ovdistill.teacher_training.adapt.pseudo_labels import pseudo_label

TEXTS = torch.eye(3)
REGIONS = normalize(
    torch.tensor(
        [
            [1.0, 0.9, 0.0],  # class 0, hardly
            [1.0, 0.1, 0.0],  # class 0, surely
            [1.0, 0.5, 0.0],  # class 0
            [0.4, 1.0, 0.0],  # class 1
        ]
    ),
    dim=1,
)


def test_the_surest_of_each_class_are_kept():
    rows, labels = pseudo_label(REGIONS, TEXTS, temperature=0.1, most=2)
    assert rows.tolist() == [1, 2, 3] and labels.tolist() == [0, 0, 1]
    rows, labels = pseudo_label(REGIONS, TEXTS, temperature=0.1, most=1)
    assert rows.tolist() == [1, 3] and labels.tolist() == [0, 1]


def test_a_class_takes_fewer_where_there_are_fewer():
    rows, labels = pseudo_label(REGIONS.half(), TEXTS, temperature=0.1, most=9)
    assert rows.tolist() == [0, 1, 2, 3] and labels.bincount().tolist() == [3, 1]
