"""Region-word matching on captions as a distiller."""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.region_word.loss import phrase_region_loss
from ovdistill.distillation.term import DistillationTerm


@MODELS.register_module()
class RegionWordCaptionTerm(DistillationTerm):
    """Each noun phrase of a caption finds its image by the best region there.

    Args:
        loss_weight: of a cross-entropy over the images of a rank.
        temperature: cosines are divided by it.
    """

    needs = ("regions", "captions")

    def __init__(self, loss_weight: float = 0.1, temperature: float = 0.07) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.temperature = temperature

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Returns ``loss_region_word_caption``."""
        loss = phrase_region_loss(
            inputs.regions.student,
            inputs.regions.image_index,
            inputs.captions.phrases,
            inputs.captions.phrase_index,
            inputs.images,
            scale=1 / self.temperature,
        )
        return {"loss_region_word_caption": self.loss_weight * loss}
