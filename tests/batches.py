"""Random vocabularies, images and detectors that several tests share."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from torch.nn.functional import normalize

import ovdistill.models.register  # noqa: F401
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

D = 16


def make_vocabulary(count: int, novel: int = 2, embed_dim: int = D, **options: Any) -> Vocabulary:
    """Classes "word 0", "word 1", ... with random embeddings, the last ones novel."""
    names = tuple(f"word {i}" for i in range(count))
    embeddings = normalize(torch.randn(count, embed_dim), dim=1)
    is_base = torch.arange(count) < count - novel
    return Vocabulary(names, embeddings, is_base, TeacherId("test"), **options)


def build(name: str, vocabulary: Vocabulary, **options: Any) -> torch.nn.Module:
    """The detector of a recipe with another vocabulary; options replace those of its model."""
    model = MODELS.build({**load_config(name).model, "vocabulary": vocabulary, **options})
    model.init_weights()
    return model


def batch(
    regions: tuple[int, ...] = (3, 0), boxes: tuple[int, ...] = (2, 1), phrases: int = 2
) -> dict[str, Any]:
    """Images of 64 px with labelled boxes, distillation regions and a caption each."""
    samples = []
    for region_count, box_count in zip(regions, boxes, strict=True):
        sample = DetDataSample(
            metainfo=dict(img_id=0, img_shape=(64, 64), ori_shape=(32, 32), scale_factor=(2.0, 2.0))
        )
        corner = torch.rand(box_count, 2) * 30
        sample.gt_instances = InstanceData(
            bboxes=torch.cat([corner, corner + 24], 1),
            labels=torch.zeros(box_count, dtype=torch.long),
            masks=BitmapMasks(torch.ones(box_count, 64, 64).byte().numpy(), 64, 64),
        )
        sample.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4))
        corner = torch.rand(region_count, 2) * 30
        sample.teacher_regions = InstanceData(
            bboxes=torch.cat([corner, corner + 20], 1),
            objectness=torch.rand(region_count),
            embeddings=normalize(torch.randn(region_count, D), dim=1),
        )
        unit = normalize(torch.randn(3, D), dim=1)
        sample.teacher_caption = InstanceData(embeddings=unit[:1])
        sample.teacher_phrases = InstanceData(embeddings=unit[1 : 1 + phrases])
        samples.append(sample)
    images = [torch.randint(0, 255, (3, 64, 64), dtype=torch.uint8) for _ in samples]
    return dict(inputs=images, data_samples=samples)


def loss_dict(model: torch.nn.Module, data: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The losses of a training step by name."""
    return model.train()(**model.data_preprocessor(data, True), mode="loss")


def losses_of(model: torch.nn.Module, data: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
    """The sum of the losses of a training step, and what is logged of it."""
    return model.parse_losses(loss_dict(model, data))


def without_gradient(model: torch.nn.Module) -> list[str]:
    """The names of trainable weights that no loss has reached."""
    return [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]


def gradient_sum(module: torch.nn.Module) -> float:
    """The sum of absolute gradients of a module's weights."""
    return sum(p.grad.abs().sum().item() for p in module.parameters() if p.grad is not None)
