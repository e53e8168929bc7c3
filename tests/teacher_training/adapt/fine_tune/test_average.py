"""WiSE-FT's average by hand."""

import torch

from ovdistill.teacher_training.adapt.fine_tune.average import average_weights


def test_the_formula_by_hand():
    before = dict(w=torch.tensor([0.0, 4]), count=torch.tensor(3))
    after = dict(w=torch.tensor([1.0, 0]), count=torch.tensor(7))
    found = average_weights(before, after, 0.25)
    assert found["w"].tolist() == [0.25, 3.0] and found["count"] == 7
    assert average_weights(before, after, 1.0)["w"].tolist() == [1.0, 0.0]
    assert before["w"].tolist() == [0.0, 4.0]
