"""The naming of masks against values worked out by hand."""

from __future__ import annotations

import torch

from ovdistill.segmentation.losses.mask_word import (
    geometric_ensemble,
    pool_masks,
    sum_over_masks,
)


def test_pooling_is_the_weighted_mean_of_a_masks_pixels():
    pixels = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).T.reshape(2, 1, 3)
    masks = torch.tensor([[[1.0, 0.5, 0.0]], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]]])
    pooled = pool_masks(pixels, masks)
    expected = torch.tensor([[2.0, 1.0], [0.0, -1.0], [0.0, 0.0]])
    torch.testing.assert_close(pooled, torch.nn.functional.normalize(expected, dim=1))


def test_ensemble_is_a_geometric_mean_with_other_shares_for_novel_names():
    student, teacher = torch.tensor([[0.9, 0.1]]), torch.tensor([[0.2, 0.8]])
    found = geometric_ensemble(
        student.log(), teacher.log(), torch.tensor([True, False]), alpha=0.5, beta=1.0
    )
    base, novel = (0.9 * 0.2) ** 0.5, 0.8
    expected = torch.tensor([[base, novel]]) / (base + novel)
    torch.testing.assert_close(found.exp(), expected)


def test_ensemble_without_a_share_of_the_teacher_is_the_student():
    student, teacher = torch.randn(2, 3, 4).log_softmax(dim=-1)
    found = geometric_ensemble(student, teacher, torch.ones(4) > 0, alpha=0.0, beta=0.0)
    torch.testing.assert_close(found, student)


def test_scores_of_pixels_are_sums_over_masks():
    scores = torch.tensor([[0.7, 0.1], [0.2, 0.4]])
    masks = torch.tensor([[[True, True, False]], [[False, True, False]]])
    expected = torch.tensor([[[0.7, 0.9, 0.0]], [[0.1, 0.5, 0.0]]])
    boxes = [(slice(0, 1), slice(0, 2)), (slice(0, 1), slice(1, 2))]
    torch.testing.assert_close(sum_over_masks(scores, masks, boxes), expected)
    assert sum_over_masks(scores[:0], masks[:0], []).tolist() == [[[0.0] * 3]] * 2
