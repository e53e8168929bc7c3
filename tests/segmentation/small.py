"""Small segmentors, batches with label maps, and a dense teacher, that several tests share."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.structures import PixelData
from torch.nn.functional import normalize

import ovdistill.models.register  # noqa: F401
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config
from ovdistill.segmentation.data.label_map import UNLABELLED
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.segmentation.losses import terms  # noqa: F401
from ovdistill.segmentation.models import mask_word, segmentor  # noqa: F401
from ovdistill.vocabulary import Vocabulary
from tests.batches import D, batch

WORDS = 6


class Dense(torch.nn.Module):
    """Embeds a position by a random map of its mean colour."""

    dense_stride, temperature, id = 8, 0.1, TeacherId("test")

    def __init__(self) -> None:
        super().__init__()
        self.colours = torch.nn.Linear(3, D)
        self.seen: list[torch.Size] = []

    def encode_dense(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images.shape)
        assert 0 <= images.min() and images.max() <= 1
        means = torch.nn.functional.avg_pool2d(images, self.dense_stride)
        return normalize(self.colours(means.movedim(1, 3)).movedim(3, 1), dim=1)


def dense_teacher(scale: float = 1.0) -> DenseTeacher:
    return DenseTeacher(Dense(), scale)


def build(
    vocabulary: Vocabulary, recipe: str = "lseg_r18_shapes", **options: Any
) -> torch.nn.Module:
    """The segmentor of a recipe with another vocabulary, from random weights."""
    own = {**load_config(recipe).model, "vocabulary": vocabulary, **options}
    own["backbone"] = dict(own["backbone"], init_cfg=None)
    model = MODELS.build(own)
    model.init_weights()
    return model


def labelled_batch() -> dict[str, Any]:
    """Two images of 64 pixels, the upper half with a name, the lower one without."""
    data = batch()
    for index, sample in enumerate(data["data_samples"]):
        labels = torch.full((1, 64, 64), index)
        labels[:, 32:] = UNLABELLED
        sample.gt_sem_seg = PixelData(sem_seg=labels)
    return data
