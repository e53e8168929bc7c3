"""UniCL's loss against values worked out by hand, and against CLIP's."""

from __future__ import annotations

import math

import pytest
import torch

from ovdistill.teacher_training.batch import NO_LABEL
from ovdistill.teacher_training.objectives.image_text_contrastive.loss import image_text_loss
from ovdistill.teacher_training.objectives.image_text_label.loss import (
    image_text_label_loss,
    positives,
    soft_contrast,
)


def test_pairs_of_one_label_are_positives_and_captions_fit_themselves_only() -> None:
    labels = torch.tensor([7, NO_LABEL, 7, NO_LABEL])
    expected = [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]
    assert positives(labels, labels).int().tolist() == expected
    assert positives(labels[2:], labels, first=2).int().tolist() == expected[2:]


def test_the_target_is_spread_over_the_positives() -> None:
    rows, others = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    positive = torch.tensor([[True, True, False]])
    # the weights of the three are 3, 1 and 1
    expected = (math.log(5 / 3) + math.log(5)) / 2
    found = soft_contrast(rows, others, positive, math.log(3))
    assert found.item() == pytest.approx(expected)


def test_without_labels_it_is_the_loss_of_clip() -> None:
    generator = torch.Generator().manual_seed(0)
    images, texts = torch.nn.functional.normalize(torch.randn(2, 4, 8, generator=generator), dim=-1)
    positive = positives(torch.full((4,), NO_LABEL), torch.full((4,), NO_LABEL))
    found = image_text_label_loss(images, texts, images, texts, positive, 5.0)
    torch.testing.assert_close(found, image_text_loss(images, texts, images, texts, 5.0))
