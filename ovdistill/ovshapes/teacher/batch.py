"""A batch of the small teacher: crops with captions that several of them share.

Shapes: n crops, c whole images with captions, T captions of the crops.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ovdistill.teacher_training.batch import TrainingBatch


@dataclass(frozen=True, kw_only=True)
class GroupBatch(TrainingBatch):
    """Crops first, then whole images; the captions of the crops first, then those of the images.

    The images are (n + c, 3, S, S), the tokens (T + c, L), and the labels (n,) the kinds.

    Attributes:
        captions: (levels, n) int64, row of the tokens with the caption of each crop at each level.
        whole: c.
    """

    captions: Tensor
    whole: int
