"""The contrast within groups, on plain tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from ovdistill.teacher_training.objectives.image_text_contrastive.loss import image_text_loss


def group_loss(images: Tensor, texts: Tensor, labels: Tensor, scale: Tensor | float) -> Tensor:
    """Compute CLIP's loss over groups in which no text occurs twice.

    A text that fits two images of a batch would be a false negative for one of them.

    Args:
        images: (n, D) unit norm.
        texts: (T, D) unit norm.
        labels: (n,) int64, the index of the text of each image.
        scale: the factor that makes logits of cosines.

    Returns:
        Scalar, the mean over the n images. Group k has the k-th image of each text.
    """
    seen: dict[int, int] = {}
    groups: list[list[int]] = []
    for index, label in enumerate(labels.tolist()):
        number = seen[label] = seen.get(label, -1) + 1
        if number == len(groups):
            groups.append([])
        groups[number].append(index)
    total = images.new_zeros(())
    for group in groups:
        members = torch.tensor(group, device=images.device)
        own_images, own_texts = images[members], texts[labels[members]]
        loss = image_text_loss(own_images, own_texts, own_images, own_texts, scale)
        total = total + len(group) * loss
    return total / len(labels)
