"""Training objectives, one folder for each; importing this package registers them."""

from ovdistill.teacher_training.objectives.image_contrastive.objective import ImageContrastive
from ovdistill.teacher_training.objectives.image_text_contrastive.objective import (
    ImageTextContrastive,
)
from ovdistill.teacher_training.objectives.image_text_label.objective import (
    ImageTextLabelContrastive,
)
from ovdistill.teacher_training.objectives.image_text_matching.objective import ImageTextMatching
from ovdistill.teacher_training.objectives.masked_cross_modal.objective import MaskedCrossModal
from ovdistill.teacher_training.objectives.masked_image.objective import MaskedImage
from ovdistill.teacher_training.objectives.masked_language.objective import MaskedLanguage
from ovdistill.teacher_training.objectives.region_word.objective import RegionWord

__all__ = [
    "ImageContrastive",
    "ImageTextContrastive",
    "ImageTextLabelContrastive",
    "ImageTextMatching",
    "MaskedCrossModal",
    "MaskedImage",
    "MaskedLanguage",
    "RegionWord",
]
