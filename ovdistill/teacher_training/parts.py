"""Split a batch into parts of equal size, and move it to a device."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from ovdistill.teacher_training.batch import LabelledBoxes, TrainingBatch

T = TypeVar("T")


def split_batch(batch: TrainingBatch, size: int) -> list[TrainingBatch]:
    """Return the parts of a batch.

    Args:
        batch: N pairs.
        size: pairs of a part, a divisor of N.
    """
    starts = range(0, len(batch.images), size)
    return [_part(batch, slice(start, start + size)) for start in starts]


def _part(batch: TrainingBatch, rows: slice) -> TrainingBatch:
    return TrainingBatch(
        images=batch.images[rows],
        tokens=batch.tokens[rows],
        labels=batch.labels[rows],
        views=None if batch.views is None else batch.views[rows],
        boxes=None if batch.boxes is None else _part_of_boxes(batch.boxes, rows),
    )


def _part_of_boxes(found: LabelledBoxes, rows: slice) -> LabelledBoxes | None:
    """Return the boxes of some images, with their phrases; None where these have no boxes."""
    own = (found.image_index >= rows.start) & (found.image_index < rows.stop)
    if not own.any():
        return None
    phrases, phrase_index = found.phrase_index[own].unique(return_inverse=True)
    return LabelledBoxes(
        boxes=found.boxes[own],
        image_index=found.image_index[own] - rows.start,
        phrases=found.phrases[phrases],
        phrase_index=phrase_index,
    )


def to_device(value: T, device: torch.device) -> T:
    """Return a dataclass of tensors, and of dataclasses of tensors, with all of them on a device.

    Args:
        value: a batch.
        device: where to.
    """
    assert is_dataclass(value) and not isinstance(value, type)
    moved: dict[str, Any] = {}
    for field in fields(value):
        content = getattr(value, field.name)
        if isinstance(content, Tensor):
            moved[field.name] = content.to(device, non_blocking=True)
        elif is_dataclass(content):
            moved[field.name] = to_device(content, device)
    return replace(value, **moved)
