"""The seam that every distillation term plugs into.

Shapes: R sampled RoIs, D embedding width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs


class DistillationTerm(nn.Module):
    """Base class of distillation terms.

    A subclass registers with ``mmdet.registry.MODELS``, lists the inputs that it needs, and returns
    its losses by name. For a batch without regions or phrases it must return zeros that keep the
    graph, so that all ranks of a distributed run have the same gradients to reduce.

    Attributes:
        needs: any of 'regions', 'overlap' (of regions with labelled boxes, which a segmentor has
            not), 'captions' and 'rois', and of a segmentor 'pixels' and 'dense' (pixels with the
            teacher's embeddings). The detector or segmentor fills these parts of
            ``DistillInputs``, and raises an error where it cannot or where the training pipeline
            does not load them.
    """

    needs: tuple[str, ...] = ("regions",)

    def set_embed_dim(self, embed_dim: int) -> None:
        """Build the layers whose size depends on D; called once, after construction."""

    def roi_weights(self, inputs: DistillInputs) -> Tensor | None:
        """Return (R,) factors on the RoIs' weights in the alignment loss, or None for no change."""
        return None

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return scalar losses, weights applied, under names that start with ``loss_``."""
        raise TypeError(f"{type(self).__name__} must define forward(inputs) -> dict of losses")


class DistillationTerms(nn.ModuleList):
    """The distillation terms of a detector or a segmentor.

    Args:
        terms: the terms, in the order of the config.
        embed_dim: D.
        parts: of ``DistillInputs``, those that the detector or segmentor can fill for the terms.

    Raises:
        UserError: a term needs another part.
    """

    def __init__(
        self, terms: Iterable[DistillationTerm], embed_dim: int, parts: Sequence[str]
    ) -> None:
        super().__init__(terms)
        for term in self:
            if unknown := set(term.needs).difference(parts):
                raise UserError(
                    f"{type(term).__name__} needs {min(unknown)!r}; the network has "
                    f"{', '.join(parts)}. Correct the `needs` of the term, or use it with a "
                    "network that has this: two-stage detectors have rois, segmentors pixels."
                )
            term.set_embed_dim(embed_dim)

    def __iter__(self) -> Iterator[DistillationTerm]:
        return cast(Iterator[DistillationTerm], super().__iter__())

    @property
    def needs(self) -> set[str]:
        """The parts of ``DistillInputs`` that at least one term needs."""
        return {part for term in self for part in term.needs}

    def weigh_rois(self, weights: Tensor, inputs: DistillInputs) -> Tensor:
        """Multiply the (R,) weights of the RoIs in the alignment loss by the terms' factors."""
        for term in self:
            factors = term.roi_weights(inputs)
            weights = weights if factors is None else weights * factors
        return weights

    def losses(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return the losses of all terms by name.

        Raises:
            UserError: two terms have a loss of the same name, so that one would hide the other.
        """
        losses: dict[str, Tensor] = {}
        for term in self:
            own = term(inputs)
            if both := own.keys() & losses.keys():
                raise UserError(
                    f"two distillation terms return a loss named {min(both)}, the second is "
                    f"{type(term).__name__}; expected each term once in `distillers`."
                )
            losses.update(own)
        return losses
