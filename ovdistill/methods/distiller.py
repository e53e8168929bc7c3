"""The seam that every distillation term plugs into.

Shapes: N images, P distillation regions of all images of this rank, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass
class DistillInputs:
    """What a distillation term may look at, for one batch on one rank.

    Attributes:
        student: (P, D) student embeddings of the distillation regions, unit norm, with gradient.
        teacher: (P, D) float32 teacher embeddings of the same regions, unit norm, no gradient.
        boxes: (P, 4) float32 regions, xyxy, absolute pixels of the network input.
        objectness: (P,) float32 RPN scores of the regions, in [0, 1].
        image_index: (P,) int64 index in [0, N) of the image that a region belongs to.
        features: pyramid levels, each (N, C, H_l, W_l), with gradient.
    """

    student: Tensor
    teacher: Tensor
    boxes: Tensor
    objectness: Tensor
    image_index: Tensor
    features: tuple[Tensor, ...]


class Distiller(nn.Module):
    """One distillation term.

    A subclass registers with ``mmdet.registry.MODELS`` and returns its losses by name. With no
    region in the batch (P = 0) it must return zeros that keep the graph, so that every rank of a
    distributed run has the same gradients to reduce.
    """

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Returns scalar losses whose names start with ``loss_``, their weight applied."""
        raise TypeError(f"{type(self).__name__} must define forward(inputs) -> dict of losses")
