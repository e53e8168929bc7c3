"""The seam that every training objective of a teacher plugs into.

Two kinds, by what they look at. An ``EmbeddingObjective`` compares the embeddings of a whole batch,
gathered over ranks where its formula asks for it; so a batch that does not fit into memory can be
encoded in parts twice (gradient caching, Gao et al., arXiv 2101.06983). A ``TowerObjective`` runs
the towers itself, on masked inputs for example, and is computed part by part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.batch import PairEmbeddings, TrainingBatch
from ovdistill.teacher_training.towers import Towers


class Objective(nn.Module, ABC):
    """Base class of the training objectives of a teacher.

    For a batch without anything to learn from (no boxes, no masked tokens) an objective returns
    zeros that keep the graph, so that all ranks have the same gradients to reduce.

    Attributes:
        needs: any of 'images', 'texts', 'views' and 'boxes'. The source is asked for them, and
            raises an error where it has none.
        weight: factor on the objective's losses, 0 or more.
        hides_images: it shows the image tower images with hidden parts alone; they stay out of the
            running statistics of batch norm, which are those of whole images.
    """

    needs: ClassVar[tuple[str, ...]] = ("images", "texts")
    hides_images = False

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
            raise UserError(
                f"{type(self).__name__} with weight {weight!r}; expected a number of 0 or more"
            )
        self.weight = weight

    def set_towers(self, towers: Towers) -> None:
        """Build the layers whose size depends on the towers; called once, after construction.

        They are trained with the towers and left out of the teacher that is written.
        """


class EmbeddingObjective(Objective):
    """An objective of the embeddings of a whole batch."""

    @abstractmethod
    def forward(self, embeddings: PairEmbeddings) -> dict[str, Tensor]:
        """Return scalar losses without the weight, under names that start with ``loss_``."""


class TowerObjective(Objective):
    """An objective that runs the towers itself, on a part of the batch."""

    @abstractmethod
    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        """Return scalar losses without the weight, under names that start with ``loss_``.

        Each is a mean over the part, so that parts of equal size average to the batch's loss.
        """
