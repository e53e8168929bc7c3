"""The seam that every distillation term plugs into.

Shapes: N images, R sampled RoIs, P distillation regions of all images of this rank, G labelled
boxes, M noun phrases, D embedding width.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from ovdistill.errors import UserError


@dataclass
class DistillRegions:
    """Distillation regions as student and teacher see them.

    Attributes:
        student: (P, D) student embeddings, unit norm, with gradient.
        teacher: (P, D) float32 teacher embeddings, unit norm, no gradient.
        boxes: (P, 4) float32, xyxy, absolute pixels of the network input.
        objectness: (P,) float32 scores by the network that proposed them, in [0, 1].
        image_index: (P,) int64 index in [0, N) of the image that a region belongs to.
        overlap: (P,) float32 IoU with the best labelled box of the image, 0 without one.
    """

    student: Tensor
    teacher: Tensor
    boxes: Tensor
    objectness: Tensor
    image_index: Tensor
    overlap: Tensor


@dataclass
class SampledRoIs:
    """The RoIs that the alignment loss is taken over.

    Attributes:
        embeddings: (R, D) student embeddings, unit norm, with gradient.
        boxes: (R, 4) float32, xyxy, absolute pixels of the network input.
        image_index: (R,) int64 index in [0, N) of the image that a RoI belongs to.
        labels: (R,) int64 in [0, W]; W where no labelled object was matched.
    """

    embeddings: Tensor
    boxes: Tensor
    image_index: Tensor
    labels: Tensor


@dataclass
class Words:
    """What the alignment loss compares embeddings with.

    Attributes:
        embeddings: (W, D) float32, unit norm, no gradient.
        is_base: (W,) bool; a word that is not takes no part in training.
        temperature: cosines are divided by it; a scalar without gradient where it is learned.
    """

    embeddings: Tensor
    is_base: Tensor
    temperature: float | Tensor


@dataclass
class Captions:
    """A caption of each image, in the teacher's words.

    Attributes:
        embeddings: (N, D) float32, unit norm, no gradient.
        phrases: (M, D) float32, unit norm, no gradient: the captions' noun phrases.
        phrase_index: (M,) int64 index in [0, N) of the image that a phrase belongs to.
    """

    embeddings: Tensor
    phrases: Tensor
    phrase_index: Tensor


@dataclass
class DistillInputs:
    """What a distillation term may look at, for one batch on one rank.

    Attributes:
        images: N.
        words: of the head that distillation trains.
        features: pyramid levels, each (N, C, H_l, W_l), with gradient.
        sampled: the RoIs of the alignment loss; None in a detector without RoIs.
        regions: None unless a term needs them.
        captions: None unless a term needs them.
    """

    images: int
    words: Words
    features: tuple[Tensor, ...]
    sampled: SampledRoIs | None
    regions: DistillRegions | None
    captions: Captions | None


class Distiller(nn.Module):
    """One distillation term.

    A subclass registers with ``mmdet.registry.MODELS``, says what it needs, and returns its
    losses by name. With no region or phrase in the batch it must return zeros that keep the
    graph, so that every rank of a distributed run has the same gradients to reduce.

    Attributes:
        needs: of 'regions', 'captions' and 'rois'; the detector fills these parts of the inputs,
            or raises where it cannot or the pipeline does not load them.
    """

    needs: ClassVar[tuple[str, ...]] = ("regions",)

    def set_width(self, embed_dim: int) -> None:
        """Called once after construction with D, for layers of that width."""

    def roi_weights(self, inputs: DistillInputs) -> Tensor | None:
        """(R,) factors on the sampled RoIs' weights in the alignment loss; None leaves them."""
        return None

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Returns scalar losses whose names start with ``loss_``, their weight applied."""
        raise TypeError(f"{type(self).__name__} must define forward(inputs) -> dict of losses")


def distillation_losses(terms: Iterable[Distiller], inputs: DistillInputs) -> dict[str, Tensor]:
    """The losses of all terms by name.

    Raises:
        UserError: two terms have a loss of the same name, so that one would hide the other.
    """
    losses: dict[str, Tensor] = {}
    for term in terms:
        own = term(inputs)
        if both := own.keys() & losses.keys():
            raise UserError(
                f"two distillers have a loss {min(both)}, the second {type(term).__name__}; "
                "expected each term once in `distillers`."
            )
        losses.update(own)
    return losses
