"""Masked images with the towers of several families."""

from __future__ import annotations

import pytest
import torch

from ovdistill.teacher_training.batch import NO_LABEL, TrainingBatch
from ovdistill.teacher_training.objectives import MaskedImage
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers

from ....teacher.families import TEXT, small_model


@pytest.mark.parametrize("family", ["vit", "clipa", "resnet", "convnext", "siglip"])
def test_every_kind_of_tower_predicts_pixels(family: str) -> None:
    model = small_model(family)
    model.visual.preprocess_cfg = dict(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    model.vocab_size = TEXT["vocab_size"]
    tokens = torch.ones(1, TEXT["context_length"], dtype=torch.long)
    towers = OpenCLIPTowers(model, lambda texts: tokens)
    objective = MaskedImage()
    objective.set_towers(towers)
    images = torch.randn(1, 3, towers.image_size, towers.image_size)
    loss = objective(TrainingBatch(images, tokens, torch.tensor([NO_LABEL])), towers)
    loss["loss_masked_image"].backward()
    # the head's pixels cover the image: none of its squares is left out
    assert objective.pixels.stride * towers.image_map(images).shape[-1] == towers.image_size
    assert objective.pixels.colour.grad.any() and objective.pixels.head.weight.grad.any()
