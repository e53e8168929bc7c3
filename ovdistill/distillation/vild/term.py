"""ViLD's image loss as a distillation term."""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.term import DistillationTerm
from ovdistill.distillation.vild.loss import vild_image_loss


@MODELS.register_module()
class ViLDTerm(DistillationTerm):
    """Pulls the student's region embeddings to the teacher's (ViLD-image).

    Args:
        loss_weight: w, in units of the L1 distance summed over the D entries and averaged over
            the regions of a rank. The paper's value is 0.5 for D = 512.
    """

    def __init__(self, loss_weight: float = 0.5) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_vild_image``."""
        regions = inputs.regions
        assert regions is not None
        loss = vild_image_loss(regions.student, regions.teacher)
        return {"loss_vild_image": self.loss_weight * loss}
