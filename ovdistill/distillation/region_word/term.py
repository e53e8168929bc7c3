"""Region-word matching on captions as a distillation term."""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.region_word.loss import phrase_region_loss
from ovdistill.distillation.term import DistillationTerm


@MODELS.register_module()
class RegionWordCaptionTerm(DistillationTerm):
    """Matches each noun phrase of a caption with the best region of its image.

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
        """Return ``loss_region_word_caption``."""
        regions, captions = inputs.regions, inputs.captions
        assert regions is not None and captions is not None
        loss = phrase_region_loss(
            regions.student,
            regions.image_index,
            captions.phrases,
            captions.phrase_index,
            inputs.images,
            scale=1 / self.temperature,
        )
        return {"loss_region_word_caption": self.loss_weight * loss}
