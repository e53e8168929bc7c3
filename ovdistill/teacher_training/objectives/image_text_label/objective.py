"""UniCL's objective."""

from __future__ import annotations

from torch import Tensor

from ovdistill.core.distributed import gather_rows
from ovdistill.teacher_training.batch import PairEmbeddings
from ovdistill.teacher_training.objective import EmbeddingObjective
from ovdistill.teacher_training.objectives.image_text_label.loss import (
    image_text_label_loss,
    positives,
)
from ovdistill.teacher_training.registry import register_objective


@register_objective
class ImageTextLabelContrastive(EmbeddingObjective):
    """Pairs an image with the texts of its label in the whole batch, and a text with such images.

    Pairs with captions, which have no label, fit only each other as in ``ImageTextContrastive``; so
    labelled images and captions mix in a batch. The batch is that of all ranks.

    Args:
        weight: factor on the loss.
    """

    def forward(self, embeddings: PairEmbeddings) -> dict[str, Tensor]:
        """Return ``loss_image_text_label``."""
        images, texts = embeddings.images, embeddings.texts
        assert images is not None and texts is not None  # they are in ``needs``
        all_images, first = gather_rows(images)
        all_texts, _ = gather_rows(texts)
        all_labels, _ = gather_rows(embeddings.labels)
        positive = positives(embeddings.labels, all_labels, first)
        loss = image_text_label_loss(
            images, texts, all_images, all_texts, positive, embeddings.scale
        )
        return {"loss_image_text_label": loss}
