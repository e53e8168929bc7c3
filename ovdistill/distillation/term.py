"""The seam that every distillation term plugs into.

Shapes: R sampled RoIs, D embedding width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs


class DistillationTerm(nn.Module):
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


def distillation_losses(
    terms: Iterable[DistillationTerm], inputs: DistillInputs
) -> dict[str, Tensor]:
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
