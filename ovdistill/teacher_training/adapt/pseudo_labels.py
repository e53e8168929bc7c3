"""Labels of a teacher's own: its K most confident regions of each class.

Source: Huang et al., "Unsupervised Prompt Learning for Vision-Language Models" (UPL), arXiv
2204.03649.

Shapes: n regions, C classes, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ovdistill.teacher_training.adapt.few_shot import rank_in_class

REGIONS_PER_PASS = 8192


def pseudo_label(
    embeddings: Tensor, texts: Tensor, temperature: float, most: int
) -> tuple[Tensor, Tensor]:
    """Return the regions that a teacher is surest of, and their classes.

    The class of a region is ``argmax_c p_c`` with ``p = softmax(f . t / temperature)``. Of each
    class the ``most`` regions of the highest ``p_c`` are kept, however low that is: a threshold for
    all classes would leave those without a region that the teacher is never sure of.

    Args:
        embeddings: (n, D) unit norm.
        texts: (C, D) unit norm.
        temperature: the number that cosines are divided by.
        most: regions of a class.

    Returns:
        (m,) int64 rows of the regions, ascending; (m,) int64 classes.
    """
    sure, classes = [], []
    for part in embeddings.split(REGIONS_PER_PASS):
        confidence, nearest = (part.float() @ texts.T / temperature).softmax(dim=1).max(dim=1)
        sure.append(confidence)
        classes.append(nearest)
    labels = torch.cat(classes)
    order = torch.cat(sure).argsort(descending=True, stable=True)
    rows = order[rank_in_class(labels[order]) < most].sort().values
    return rows, labels[rows]
