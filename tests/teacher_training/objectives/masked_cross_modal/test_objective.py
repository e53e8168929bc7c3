"""What is particular to masked cross-modal modelling."""

from __future__ import annotations

import torch

from ovdistill.teacher_training.objectives import MaskedCrossModal

from ..toys import small_towers, toy_batch

SMALL = dict(width=32, layers=1, heads=2)


def test_without_a_weight_images_stay_whole() -> None:
    towers = small_towers("vit")
    objective = MaskedCrossModal(image_weight=0, **SMALL)
    objective.set_towers(towers)
    losses = objective(toy_batch(towers), towers)
    assert losses.keys() == {"loss_cross_modal_text"} and not hasattr(objective, "pixels")


def test_the_weight_of_pixels() -> None:
    found = []
    for weight in (1.0, 2.5):
        torch.manual_seed(0)
        towers = small_towers("vit")
        objective = MaskedCrossModal(image_weight=weight, **SMALL)
        objective.set_towers(towers)
        losses = objective(toy_batch(towers), towers)
        found.append((losses["loss_cross_modal_text"], losses["loss_cross_modal_image"]))
    (text, image), (same_text, other_image) = found
    assert text == same_text
    torch.testing.assert_close(other_image, 2.5 * image)


def test_tokens_are_predicted_from_the_image() -> None:
    torch.manual_seed(0)
    towers = small_towers("vit")
    objective = MaskedCrossModal(image_weight=0, **SMALL)
    objective.set_towers(towers)
    batch = toy_batch(towers)
    objective(batch, towers)["loss_cross_modal_text"].backward()
    assert towers.model.visual.conv1.weight.grad.any()
