"""CLIP's objective."""

from __future__ import annotations

from torch import Tensor

from ovdistill.core.distributed import gather_rows
from ovdistill.teacher_training.batch import PairEmbeddings
from ovdistill.teacher_training.objective import EmbeddingObjective
from ovdistill.teacher_training.objectives.image_text_contrastive.loss import image_text_loss
from ovdistill.teacher_training.registry import register_objective


@register_objective
class ImageTextContrastive(EmbeddingObjective):
    """Pairs an image with its own text among the texts of the whole batch, and a text likewise.

    The batch is that of all ranks. Two pairs with the same text are negatives of each other; where
    texts are class names, ``ImageTextLabelContrastive`` is the objective to take.

    Args:
        weight: factor on the loss.
    """

    def forward(self, embeddings: PairEmbeddings) -> dict[str, Tensor]:
        """Return ``loss_image_text``."""
        images, texts = embeddings.images, embeddings.texts
        assert images is not None and texts is not None  # they are in ``needs``
        all_images, first = gather_rows(images)
        all_texts, _ = gather_rows(texts)
        loss = image_text_loss(images, texts, all_images, all_texts, embeddings.scale, first)
        return {"loss_image_text": loss}
