"""Distillation of a dense teacher against values worked out by hand."""

from __future__ import annotations

import pytest
import torch

from ovdistill.segmentation.losses.pixel_distillation import pixel_embedding_loss, pseudo_labels


def test_embedding_loss_is_the_mean_cosine_distance_of_the_chosen_pixels():
    student = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]).T.reshape(1, 2, 1, 3)
    teacher = torch.tensor([[0.0, 1.0], [0.8, 0.6], [0.0, -1.0]]).T.reshape(1, 2, 1, 3)
    student.requires_grad_()
    teacher.requires_grad_()
    chosen = torch.tensor([[[True, True, False]]])
    loss = pixel_embedding_loss(student, teacher, chosen)
    assert loss.item() == pytest.approx((1.0 + 0.04) / 2)
    loss.backward()
    assert teacher.grad is None
    assert student.grad[..., 2].abs().sum() == 0 < student.grad[..., :2].abs().sum()


def test_embedding_loss_of_nothing_is_zero_with_a_graph():
    student = torch.randn(1, 2, 2, 2, requires_grad=True)
    loss = pixel_embedding_loss(student, torch.randn(1, 2, 2, 2), torch.zeros(1, 2, 2) > 0)
    loss.backward()
    assert loss.item() == 0


LOGITS = torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 2.0], [0.0, 0.5, 0.0]]).reshape(1, 1, 3, 3)


def test_pseudo_labels_are_the_best_candidates_of_wanted_pixels():
    wanted = torch.tensor([[[True, False, True]]])
    novel = torch.tensor([False, True, True])
    assert pseudo_labels(LOGITS, wanted, novel).tolist() == [[[1, -1, 1]]]
    assert pseudo_labels(LOGITS, wanted, torch.ones(3) > 0).tolist() == [[[0, -1, 1]]]


def test_pseudo_labels_of_which_the_judge_is_not_sure_are_left_out():
    wanted = torch.ones(1, 1, 3) > 0
    novel = torch.tensor([False, True, True])
    # among the novel names: sigmoid(1) = 0.73, sigmoid(2) = 0.88, sigmoid(0.5) = 0.62
    assert pseudo_labels(LOGITS, wanted, novel, least=0.7).tolist() == [[[1, 2, -1]]]


def test_without_a_candidate_nothing_is_labelled():
    wanted = torch.ones(1, 1, 3) > 0
    assert (pseudo_labels(LOGITS, wanted, torch.zeros(3) > 0) == -1).all()
