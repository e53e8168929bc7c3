"""What distillation terms see of a batch: dataclasses of tensors.

Shapes: N images, R sampled RoIs, P distillation regions of all images of this rank, W class names,
M noun phrases, D embedding width, h x w the grid of the student's pixel embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass
class DistillRegions:
    """The distillation regions of a batch, embedded by the student and by the teacher.

    Attributes:
        student: (P, D) student embeddings, unit norm, with gradient.
        teacher: (P, D) float32 teacher embeddings, unit norm, no gradient.
        boxes: (P, 4) float32, xyxy, absolute pixels of the network input.
        objectness: (P,) float32 scores of the network that proposed the regions, in [0, 1].
        image_index: (P,) int64 index in [0, N) of the image that a region belongs to.
        overlap: (P,) float32 IoU with the best labelled box of the image, 0 without one.
        level: (P,) int64 index of the pyramid level that an embedding was read from; None in a
            two-stage detector, whose head is one for all levels.
    """

    student: Tensor
    teacher: Tensor
    boxes: Tensor
    objectness: Tensor
    image_index: Tensor
    overlap: Tensor
    level: Tensor | None = None


@dataclass
class SampledRoIs:
    """The RoIs that the alignment loss is computed on.

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
class TextEmbeddings:
    """The text embeddings of the class names, with which the alignment loss compares regions.

    Attributes:
        embeddings: (W, D) float32, unit norm, no gradient.
        is_base: (W,) bool; False marks a novel class, which is left out of the training losses.
        temperature: cosines are divided by it; a scalar without gradient where it is learned.
    """

    embeddings: Tensor
    is_base: Tensor
    temperature: float | Tensor


@dataclass
class Captions:
    """One caption of each image, embedded by the teacher.

    Attributes:
        embeddings: (N, D) float32, unit norm, no gradient.
        phrases: (M, D) float32, unit norm, no gradient: the noun phrases of the captions.
        phrase_index: (M,) int64 index in [0, N) of the image that a phrase belongs to.
    """

    embeddings: Tensor
    phrases: Tensor
    phrase_index: Tensor


@dataclass
class DistillPixels:
    """The pixels of a batch, on the grid on which a segmentor embeds them.

    Attributes:
        student: (N, D, h, w) student embeddings, unit norm along D, with gradient.
        labels: (N, h, w) int64 in [0, W), or -1: no label, or padding.
        unlabelled: (N, h, w) bool; True for a pixel of a class of the vocabulary whose label is
            kept back. False for a pixel of no class, such as a border between objects.
        inside: (N, h, w) bool; False in the padding of the batch.
        teacher: (N, D, h, w) float32 dense embeddings of the teacher, unit norm along D, no
            gradient; None unless a term needs 'dense'.
        teacher_temperature: divisor that turns cosines with ``teacher`` into logits; None without
            it.
    """

    student: Tensor
    labels: Tensor
    unlabelled: Tensor
    inside: Tensor
    teacher: Tensor | None
    teacher_temperature: float | None = None


@dataclass
class DistillInputs:
    """Everything that a distillation term may look at, for one batch on one rank.

    Attributes:
        images: N.
        texts: the class names' embeddings, as the head that is trained for alignment has them.
        features: pyramid levels, each (N, C, H_l, W_l), with gradient.
        sampled: the RoIs of the alignment loss; None in a detector without RoIs.
        regions: None unless a term needs them.
        captions: None unless a term needs them.
        image_level: the images have labels for the whole image alone, such as captions: detection
            losses are not computed on this batch.
        pixels: None in a detector.
    """

    images: int
    texts: TextEmbeddings
    features: tuple[Tensor, ...]
    sampled: SampledRoIs | None
    regions: DistillRegions | None
    captions: Captions | None
    image_level: bool = False
    pixels: DistillPixels | None = None
