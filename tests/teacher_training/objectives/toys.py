"""Toy batches: images of two coloured halves, and texts that name both colours; small towers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ovdistill.teacher_training.batch import (
    NO_LABEL,
    LabelledBoxes,
    PairEmbeddings,
    TrainingBatch,
)
from ovdistill.teacher_training.objective import EmbeddingObjective, Objective
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers

from ..tiny import towers as tiny_towers

COLOURS = {"red": (1, -1, -1), "green": (-1, 1, -1), "blue": (-1, -1, 1)}
IMAGE: dict[str, dict[str, Any]] = {
    "vit": dict(image_size=64, layers=1, width=32, head_width=16, patch_size=16),
    "resnet": dict(image_size=64, layers=[1, 1, 1, 1], width=8, head_width=16, patch_size=None),
}


def small_towers(kind: str) -> OpenCLIPTowers:
    """Untrained towers, the same ones each time, with a ViT or a ResNet for images."""
    return tiny_towers(IMAGE[kind])


def toy_batch(towers: OpenCLIPTowers, count: int = 8, seed: int = 0) -> TrainingBatch:
    """Images whose left and right halves have a colour each, noise, and all that objectives need.

    Texts are such as "red blue", phrases such as "red".
    """
    generator = torch.Generator().manual_seed(seed)
    halves = torch.randint(len(COLOURS), (count, 2), generator=generator)
    size, names = towers.image_size, list(COLOURS)
    rgb = torch.tensor([*COLOURS.values()]).float()[halves].transpose(1, 2)  # (n, 3, 2)
    plain = rgb[:, :, None].expand(-1, -1, size, -1).repeat_interleave(size // 2, dim=3)
    images, views = (plain + 0.1 * torch.randn(plain.shape, generator=generator) for _ in range(2))
    captions = [f"{names[left]} {names[right]}" for left, right in halves.tolist()]
    return TrainingBatch(
        images=images,
        tokens=towers.tokenizer(captions),
        labels=torch.full((count,), NO_LABEL),
        views=views,
        boxes=LabelledBoxes(
            boxes=_left_and_right(size).repeat(count, 1),
            image_index=torch.arange(count).repeat_interleave(2),
            phrases=towers.tokenizer(names),
            phrase_index=halves.flatten(),
        ),
    )


def _left_and_right(size: int) -> Tensor:
    middle, end = size / 2, float(size)
    return torch.tensor([[0.0, 0.0, middle, end], [middle, 0.0, end, end]])


def without_boxes(batch: TrainingBatch) -> TrainingBatch:
    """The batch with no box and no phrase."""
    boxes = batch.boxes
    assert boxes is not None
    none = LabelledBoxes(
        boxes.boxes[:0], boxes.image_index[:0], boxes.phrases[:0], boxes.phrase_index[:0]
    )
    return replace(batch, boxes=none)


def losses_of(
    objective: Objective, towers: OpenCLIPTowers, batch: TrainingBatch
) -> dict[str, Tensor]:
    """The losses of an objective of either kind."""
    if isinstance(objective, EmbeddingObjective):
        assert batch.views is not None
        images, views = towers.encode_images(batch.images), towers.encode_images(batch.views)
        return objective(PairEmbeddings(images, None, views, batch.labels, towers.scale))
    return objective(batch, towers)
