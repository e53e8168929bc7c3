"""Training objectives, one folder for each; importing this package registers them."""

from ovdistill.teacher_training.objectives.image_text_contrastive.objective import (
    ImageTextContrastive,
)
from ovdistill.teacher_training.objectives.image_text_label.objective import (
    ImageTextLabelContrastive,
)

__all__ = ["ImageTextContrastive", "ImageTextLabelContrastive"]
