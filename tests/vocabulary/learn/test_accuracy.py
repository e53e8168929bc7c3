"""The table of accuracies."""

import torch

from ovdistill.vocabulary.learn import Samples, accuracy_table


def test_accuracy_by_hand():
    embeddings = torch.tensor([[1.0, 0], [0, 1], [0.8, 0.6], [1, 0]]).half()
    samples = Samples(embeddings, torch.tensor([0, 1, 1, 0]), torch.tensor([0.55, 0.55, 0.95, 0.9]))
    table = accuracy_table({"right way": torch.eye(2), "swapped": torch.eye(2).flip(0)}, samples)
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert lines[2] == ["right way", "100.0", "-", "-", "-", "50.0", "75.0"]
    assert lines[3] == ["swapped", "0.0", "-", "-", "-", "50.0", "25.0"]
    assert lines[4] == ["regions", "2", "0", "0", "0", "2", "4"]
