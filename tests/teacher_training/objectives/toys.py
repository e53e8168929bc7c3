"""Toy batches: images of two coloured halves, and texts that name both colours."""

from __future__ import annotations

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

START, END, LENGTH = 61, 62, 8
COLOURS = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, -1]])
FIRST_WORD = 10  # the token of the first colour


def toy_batch(count: int = 12, size: int = 64, seed: int = 0) -> TrainingBatch:
    """Images whose left and right halves have a colour each, noise, and all that objectives need.

    Texts are start, the word of the left colour, the word of the right one, end.
    """
    generator = torch.Generator().manual_seed(seed)
    halves = torch.randint(len(COLOURS), (count, 2), generator=generator)
    plain = COLOURS[halves].transpose(1, 2)[:, :, None].expand(-1, -1, size, -1)
    plain = plain.repeat_interleave(size // 2, dim=3)
    images, views = (plain + 0.1 * torch.randn(plain.shape, generator=generator) for _ in range(2))
    return TrainingBatch(
        images, texts(halves), torch.full((count,), NO_LABEL), views, _boxes(halves, size)
    )


def texts(words: Tensor) -> Tensor:
    """(n, 8) tokens of (n, k) colours."""
    rows = len(words)
    filled = [torch.full((rows, 1), START), words + FIRST_WORD, torch.full((rows, 1), END)]
    tokens = torch.cat(filled, dim=1)
    return torch.nn.functional.pad(tokens, (0, LENGTH - tokens.shape[1]))


def _boxes(halves: Tensor, size: int) -> LabelledBoxes:
    """Both halves of each image; phrases are the colours."""
    middle, end = size / 2, float(size)
    pair = torch.tensor([[0.0, 0.0, middle, end], [middle, 0.0, end, end]])
    return LabelledBoxes(
        boxes=pair.repeat(len(halves), 1),
        image_index=torch.arange(len(halves)).repeat_interleave(2),
        phrases=texts(torch.arange(len(COLOURS))[:, None]),
        phrase_index=halves.flatten(),
    )


def without_boxes(batch: TrainingBatch) -> TrainingBatch:
    """The batch with no box and no phrase."""
    boxes = batch.boxes
    assert boxes is not None
    none = LabelledBoxes(
        boxes.boxes[:0], boxes.image_index[:0], boxes.phrases[:0], boxes.phrase_index[:0]
    )
    return TrainingBatch(batch.images, batch.tokens, batch.labels, batch.views, none)


def losses_of(objective: Objective, towers: Any, batch: TrainingBatch) -> dict[str, Tensor]:
    """The losses of an objective of either kind."""
    if isinstance(objective, EmbeddingObjective):
        assert batch.views is not None
        images, views = towers.encode_images(batch.images), towers.encode_images(batch.views)
        return objective(PairEmbeddings(images, None, views, batch.labels, torch.tensor(10.0)))
    return objective(batch, towers)
