"""What training objectives of a teacher see of a batch: dataclasses of tensors.

Shapes: N images, one text each, S side of the tower's input, L tokens of a text, B boxes of all
images, M phrases of all boxes, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

NO_LABEL = -1


def is_text(tokens: Tensor) -> Tensor:
    """Return (N, L) bool, True up to the last of (N, L) tokens that is not zero.

    A zero within a text is a token like others.
    """
    return (tokens != 0).flip(1).cummax(dim=1).values.flip(1)


@dataclass(frozen=True)
class LabelledBoxes:
    """The boxes of a batch's images, and a phrase for each of them.

    Attributes:
        boxes: (B, 4) float32, xyxy, absolute pixels of the tower's input.
        image_index: (B,) int64 index in [0, N) of the image that a box belongs to.
        phrases: (M, L) int64 tokens of the phrases, each phrase once.
        phrase_index: (B,) int64 index in [0, M) of the phrase of a box.
    """

    boxes: Tensor
    image_index: Tensor
    phrases: Tensor
    phrase_index: Tensor


@dataclass(frozen=True)
class TrainingBatch:
    """A batch of one rank, as its source loads it.

    Attributes:
        images: (N, 3, S, S) float32 RGB, normalised with the tower's mean and std.
        tokens: (N, L) int64 tokens of the texts, zeros behind the end.
        labels: (N,) int64; images and texts of one label fit each other. ``NO_LABEL`` where only
            the pair itself does.
        views: (N, 3, S, S) float32, the same images augmented once more; None unless an objective
            needs them.
        boxes: None unless an objective needs them.
    """

    images: Tensor
    tokens: Tensor
    labels: Tensor
    views: Tensor | None = None
    boxes: LabelledBoxes | None = None


@dataclass(frozen=True)
class PairEmbeddings:
    """The embeddings of a whole batch, unit norm, with gradient.

    Attributes:
        images: (N, D) of ``TrainingBatch.images``; None unless an objective needs them.
        texts: (N, D) of ``TrainingBatch.tokens``; None unless an objective needs them.
        views: (N, D) of ``TrainingBatch.views``; None unless an objective needs them.
        labels: (N,) int64, see ``TrainingBatch``.
        scale: scalar with gradient, the factor that makes logits of cosines.
    """

    images: Tensor | None
    texts: Tensor | None
    views: Tensor | None
    labels: Tensor
    scale: Tensor
