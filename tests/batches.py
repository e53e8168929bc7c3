"""Random words, images and detectors that several tests share."""

from __future__ import annotations

from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

import ovdistill.models.register  # noqa: F401
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

CONFIGS = Path(__file__).parents[1] / "configs"
D = 16


def words(count: int, novel: int = 2, dim: int = D) -> Vocabulary:
    embeddings = torch.nn.functional.normalize(torch.randn(count, dim), dim=1)
    is_base = torch.arange(count) < count - novel
    return Vocabulary(tuple(f"word {i}" for i in range(count)), embeddings, is_base, "test")


def build(name: str, vocabulary: Vocabulary, **options) -> torch.nn.Module:
    """The detector of a config with other words; options take the place of its model's."""
    config = load_config(CONFIGS / f"{name}.py")
    model = MODELS.build({**config.model, "vocabulary": vocabulary, **options})
    model.init_weights()
    return model


def batch(
    regions: tuple[int, ...] = (3, 0), boxes: tuple[int, ...] = (2, 1), phrases: int = 2
) -> dict:
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
            embeddings=torch.nn.functional.normalize(torch.randn(region_count, D), dim=1),
        )
        unit = torch.nn.functional.normalize(torch.randn(3, D), dim=1)
        sample.teacher_caption = InstanceData(embeddings=unit[:1])
        sample.teacher_phrases = InstanceData(embeddings=unit[1 : 1 + phrases])
        samples.append(sample)
    images = [torch.randint(0, 255, (3, 64, 64), dtype=torch.uint8) for _ in samples]
    return dict(inputs=images, data_samples=samples)


def losses_of(model: torch.nn.Module, data: dict) -> tuple[torch.Tensor, dict]:
    data = model.data_preprocessor(data, True)
    losses = model.train()(**data, mode="loss")
    return model.parse_losses(losses)
