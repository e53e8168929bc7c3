"""Relations to a queue of the teacher's embeddings as a distillation term."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.region_queue.loss import queue_relation_loss
from ovdistill.distillation.term import DistillationTerm


@MODELS.register_module()
class RegionQueueTerm(DistillationTerm):
    """Compares each region with many others, as the teacher does.

    The others are the regions of the batch and those of recent batches, by their embeddings of the
    teacher, which a queue keeps.

    Args:
        loss_weight: of the divergence, in nats, a mean over the regions weighted by objectness.
        temperature: cosines of regions are divided by it. 0.1 fits embeddings without an offset
            (`ovdistill store centre`), 0.05 those whose cosines spread over half of that.
        size: how many embeddings the queue holds (each rank has its own).
    """

    queue: Tensor

    def __init__(
        self, loss_weight: float = 1.0, temperature: float = 0.1, size: int = 2048
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.temperature = temperature
        self.size = size

    def set_embed_dim(self, embed_dim: int) -> None:
        """Build the empty queue; it is not saved, because it fills within a few steps."""
        self.register_buffer("queue", torch.zeros(self.size, embed_dim), persistent=False)

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_region_queue``, and put the regions of the batch into the queue."""
        regions = inputs.regions
        assert regions is not None
        teacher = F.normalize(regions.teacher.float(), dim=-1)
        keys = torch.cat([teacher, self.queue])
        loss = queue_relation_loss(
            regions.student, teacher, keys, regions.objectness, self.temperature
        )
        self.queue = keys[: self.size]
        return {"loss_region_queue": self.loss_weight * loss}
