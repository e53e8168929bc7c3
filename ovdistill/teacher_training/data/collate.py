"""Make the input of one pair, and join those of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ovdistill.teacher_training.batch import NO_LABEL, LabelledBoxes, TrainingBatch
from ovdistill.teacher_training.data.augmentation import Augmentation
from ovdistill.teacher_training.data.source import BatchPlan, Pair


@dataclass(frozen=True, eq=False)
class LoadedPair:
    """A pair whose image is the tower's input, but for the normalisation.

    Attributes:
        image: (3, S, S) uint8.
        view: the same image augmented once more; None unless an objective needs it.
        text: its text.
        class_name: its class, or None.
        boxes: (b, 4) float32 xyxy, absolute pixels of ``image``.
        phrases: a phrase for each box.
    """

    image: Tensor
    view: Tensor | None
    text: str
    class_name: str | None
    boxes: Tensor
    phrases: tuple[str, ...]


def load_pair(
    pair: Pair, plan: BatchPlan, augmentation: Augmentation, rng: np.random.Generator
) -> LoadedPair:
    """Augment a pair."""
    size, mode = plan.image_size, plan.interpolation
    image, boxes, kept = augmentation.apply(pair.image, pair.boxes, size, mode, rng)
    view = None
    if "views" in plan.needs:
        view = augmentation.apply(pair.image, pair.boxes, size, mode, rng)[0]
    phrases = tuple(pair.phrases[index] for index in kept.tolist())
    return LoadedPair(image, view, pair.text, pair.class_name, boxes, phrases)


def collate(
    pairs: Sequence[LoadedPair], plan: BatchPlan, labels: Mapping[str, int]
) -> TrainingBatch:
    """Join the pairs of a batch.

    Args:
        pairs: N of them.
        plan: what the batch must be like.
        labels: the label of each class name.
    """
    named = [NO_LABEL if p.class_name is None else labels[p.class_name] for p in pairs]
    views = [pair.view for pair in pairs if pair.view is not None]
    return TrainingBatch(
        images=plan.normalize(torch.stack([pair.image for pair in pairs])),
        tokens=plan.tokenize([pair.text for pair in pairs]),
        labels=torch.tensor(named),
        views=plan.normalize(torch.stack(views)) if views else None,
        boxes=_join_boxes(pairs, plan) if "boxes" in plan.needs else None,
    )


def _join_boxes(pairs: Sequence[LoadedPair], plan: BatchPlan) -> LabelledBoxes | None:
    """Return the boxes of all pairs, each phrase once; None where there are no boxes at all."""
    said = [phrase for pair in pairs for phrase in pair.phrases]
    if not said:
        return None
    phrases = sorted(set(said))
    counts = torch.tensor([len(pair.phrases) for pair in pairs])
    return LabelledBoxes(
        boxes=torch.cat([pair.boxes for pair in pairs]),
        image_index=torch.arange(len(pairs)).repeat_interleave(counts),
        phrases=plan.tokenize(phrases),
        phrase_index=torch.tensor([phrases.index(phrase) for phrase in said]),
    )
