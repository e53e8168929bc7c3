"""Samples of regions, and their bins of IoU."""

import pytest
import torch

from ovdistill.vocabulary.learn.samples import BACKGROUND, Samples

GRADES = (0.5, 0.6, 0.7, 0.8, 0.9)


def samples_of(ious):
    count = len(ious)
    return Samples(torch.eye(count), torch.arange(count), torch.tensor(ious))


def test_bins_at_their_exact_edges():
    ious = [0.5, 0.5999, 0.6, 0.6999, 0.7, 0.7999, 0.8, 0.8999, 0.9, 1.0, 0.4999]
    samples = samples_of(ious)
    assert samples.bins(GRADES).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, -1]
    assert samples.bins((0.5,)).tolist() == [0] * 10 + [-1]


@pytest.mark.parametrize("which", [torch.tensor([2, 0]), torch.tensor([True, False, True])])
def test_some_of_the_samples(which):
    samples = samples_of([0.5, 0.6, 0.7])
    some = samples[which]
    assert len(some) == 2
    assert torch.equal(some.embeddings, samples.embeddings[which])
    assert torch.equal(some.labels, samples.labels[which])
    assert torch.equal(some.ious, samples.ious[which])


def test_background_is_no_row_of_a_vocabulary():
    assert BACKGROUND < 0
