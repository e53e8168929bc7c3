"""The interface of sources of proposals: the boxes of an image that the teacher embeds.

Shapes: P boxes of an image.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from torch import Tensor

from ovdistill.extraction.images import ImageFile, LoadedImage

# (P, 4) float32, xyxy, absolute pixels of the image; (P,) float32 scores
Proposals = tuple[Tensor, Tensor]


class ProposalSource(ABC):
    """A source of boxes for images.

    Attributes:
        provenance: plain JSON values that identify the source: kind, source, hash.
        origin: further digests of what it depends on, which the store notes too.
    """

    provenance: dict[str, Any]
    origin: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Propose boxes for images that were read without a problem.

        Returns:
            Boxes and scores of each image, in any order.
        """

    def check(self, files: Sequence[ImageFile]) -> None:  # noqa: B027 - most sources fit any
        """Raise UserError if the source cannot propose for a data set, before anything long starts.

        Args:
            files: all images that boxes will be asked for.
        """
