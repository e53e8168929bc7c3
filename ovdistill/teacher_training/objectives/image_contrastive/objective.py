"""Image contrastive learning as an objective."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovdistill.core.distributed import gather_rows
from ovdistill.core.errors import UserError
from ovdistill.teacher_training.batch import PairEmbeddings
from ovdistill.teacher_training.objective import EmbeddingObjective
from ovdistill.teacher_training.objectives.image_contrastive.loss import (
    batch_contrast,
    queue_contrast,
)
from ovdistill.teacher_training.registry import register_objective
from ovdistill.teacher_training.towers import Towers


@register_objective
class ImageContrastive(EmbeddingObjective):
    """Makes the embeddings of two augmentations of one image alike, and others unlike.

    Without a queue it is SimCLR's loss (arXiv 2002.05709) on the views of all ranks. With one it
    is MoCo's (arXiv 1911.05722), with these differences: keys come from the tower itself, without
    gradient, instead of a slow copy of it (momentum encoder), so keys of the queue are as old as
    the steps since; keep it short, a few batches. The other keys of the batch are negatives too.

    Args:
        weight: see ``Objective``.
        temperature: cosines are divided by it; SimCLR's best is 0.1, MoCo's 0.07.
        queue: keys of earlier batches that are negatives, of all ranks together; 0 for none.
        hidden: width of the hidden layer of a head behind the embeddings, which is left out of the
            teacher (SimCLR, section 4.2; SLIP, arXiv 2112.12750, has it beside CLIP's own
            projection). None compares the teacher's embeddings themselves.

    Raises:
        UserError: a value out of its range.
    """

    needs = ("images", "views")
    keys: Tensor  # (K, D) the queue, saved with the training so that a resumed one goes on alike

    def __init__(
        self,
        weight: float = 1.0,
        temperature: float = 0.1,
        queue: int = 0,
        hidden: int | None = None,
    ) -> None:
        super().__init__(weight)
        if temperature <= 0 or queue < 0 or (hidden is not None and hidden < 1):
            raise UserError(
                f"ImageContrastive with temperature {temperature}, queue {queue}, hidden {hidden}; "
                "expected a temperature above 0, a queue of 0 or more, hidden None or 1 or more"
            )
        self.temperature = temperature
        self.size = queue
        self.hidden = hidden
        self.head: nn.Module = nn.Identity()

    def set_towers(self, towers: Towers) -> None:
        """Build the head and the empty queue."""
        width = towers.embed_dim
        if self.hidden is not None:
            self.head = nn.Sequential(
                nn.Linear(width, self.hidden), nn.ReLU(), nn.Linear(self.hidden, width)
            )
        self.register_buffer("keys", torch.zeros(self.size, width))

    def forward(self, embeddings: PairEmbeddings) -> dict[str, Tensor]:
        """Return ``loss_image_contrastive``, and put the keys of the batch into the queue."""
        images, views = embeddings.images, embeddings.views
        assert images is not None and views is not None  # they are in ``needs``
        with torch.autocast(images.device.type, enabled=False):
            first, second = (
                F.normalize(self.head(rows.float()), dim=-1) for rows in (images, views)
            )
            loss = self._contrast(first, second)
        return {"loss_image_contrastive": loss}

    def _contrast(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of (N, D) unit embeddings of two views."""
        if not self.size:
            all_first, start = gather_rows(first)
            all_second, _ = gather_rows(second)
            return batch_contrast(first, second, all_first, all_second, self.temperature, start)
        keys, start = gather_rows(second.detach())
        loss = queue_contrast(first, keys, self.keys, self.temperature, start)
        if self.training:
            self.keys = torch.cat([keys, self.keys])[: self.size]
        return loss
