"""What is particular to image-text matching."""

from __future__ import annotations

from dataclasses import replace

import torch

from ovdistill.teacher_training.objectives import ImageTextMatching

from ..toys import small_towers, toy_batch


def _untrained(bias: float) -> ImageTextMatching:
    """An objective that takes every pair for one that fits, by a logit of ``bias``."""
    objective = ImageTextMatching(width=32, layers=1, heads=2)
    objective.set_towers(small_towers("vit"))
    torch.nn.init.zeros_(objective.classifier.weight)
    torch.nn.init.constant_(objective.classifier.bias, bias)
    return objective


def test_a_third_of_the_pairs_fit() -> None:
    torch.manual_seed(0)
    towers = small_towers("vit")
    batch = toy_batch(towers, count=4)
    assert len(batch.tokens.unique(dim=0)) > 1
    loss = _untrained(20.0)(batch, towers)["loss_image_text_matching"]
    # a logit of 20 costs nothing where it is right, and 20 where it is wrong
    torch.testing.assert_close(loss, torch.tensor(20 * 2 / 3))


def test_a_batch_of_one_label_has_no_negatives() -> None:
    torch.manual_seed(0)
    towers = small_towers("vit")
    batch = toy_batch(towers)
    batch = replace(batch, labels=torch.zeros_like(batch.labels))
    loss = _untrained(20.0)(batch, towers)["loss_image_text_matching"]
    loss.backward()
    assert loss.item() < 1e-6
