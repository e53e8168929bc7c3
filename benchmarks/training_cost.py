"""Count what a training step of a recipe computes, and what it keeps for the backward pass.

    python benchmarks/training_cost.py detpro_r50_lvis --regions 885 --names 1203

One image of noise with random boxes goes through the recipe's detector, from random weights, on the
CPU. Multiplications of convolutions and matrix products are counted (RoIAlign, NMS and element-wise
work are not), and the bytes of all tensors that the backward pass needs. A step needs three times
the multiplications of the forward pass; a GPU's memory holds the kept tensors of its images, and
weights, gradients and momentum once. It takes half a minute and 4 GB for a ResNet-50.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.utils.flop_counter import FlopCounterMode

import ovdistill.models.register  # noqa: F401
from ovdistill.commands.main import run_options
from ovdistill.commands.options import ConfigOptions, option, recipe_argument
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

EMBED_DIM = 512  # of CLIP ViT-B/32


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(ConfigOptions):
    """Options of this benchmark."""

    config: str = recipe_argument()
    names: int = option(1203, help="class names", least=1)
    regions: int = option(300, help="distillation regions of the image", least=0)
    objects: int = option(12, help="labelled objects of the image", least=1)
    height: int = option(800, help="pixels", least=64)
    width: int = option(1088, help="pixels", least=64)


def main(options: BenchmarkOptions) -> None:
    """Count and print."""
    torch.manual_seed(0)
    config = load_config(options.config, {**options.overrides, "model.backbone.init_cfg": None})
    model = build(config, options.names)
    data = model.data_preprocessor(make_batch(options), training=True)
    forward, kept = count(model, data)
    weights = sum(4 * p.numel() for p in model.parameters())
    trained = sum(4 * p.numel() for p in model.parameters() if p.requires_grad)
    print(f"forward pass: {forward / 2e9:.0f} billion multiplications an image")
    print(f"kept for the backward pass: {kept / 1e9:.1f} GB an image in float32")
    print(f"weights, gradients and momentum: {(weights + 2 * trained) / 1e9:.2f} GB")


def build(config: Config, names: int) -> nn.Module:
    """Build the detector with random text embeddings of ``names`` base classes."""
    vocabulary = Vocabulary(
        tuple(f"name {number}" for number in range(names)),
        normalize(torch.randn(names, EMBED_DIM), dim=1),
        torch.ones(names, dtype=torch.bool),
        TeacherId("random"),
    )
    return MODELS.build({**config.model, "vocabulary": vocabulary}).train()


def make_batch(options: BenchmarkOptions) -> dict[str, Any]:
    """Make an image of noise with random boxes, masks and regions."""
    # behind ovdistill.models.register, which gives mmcv the operations that these import
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks

    size = (options.height, options.width)
    sample = DetDataSample(metainfo=dict(img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0)))
    masks = torch.ones(options.objects, *size, dtype=torch.uint8).numpy()
    sample.gt_instances = InstanceData(
        bboxes=random_boxes(options.objects, size),
        labels=torch.zeros(options.objects, dtype=torch.int64),
        masks=BitmapMasks(masks, *size),
    )
    sample.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4))
    sample.teacher_regions = InstanceData(
        bboxes=random_boxes(options.regions, size),
        objectness=torch.rand(options.regions),
        embeddings=normalize(torch.randn(options.regions, EMBED_DIM), dim=1),
    )
    return dict(
        inputs=[torch.randint(0, 256, (3, *size), dtype=torch.uint8)], data_samples=[sample]
    )


def random_boxes(count: int, size: tuple[int, int]) -> Tensor:
    """Return (count, 4) xyxy boxes in pixels of an image of (height, width)."""
    height, width = size
    start = torch.rand(count, 2) * torch.tensor([0.6 * width, 0.6 * height])
    sides = 16 + torch.rand(count, 2) * torch.tensor([0.3 * width, 0.3 * height])
    return torch.cat([start, start + sides], dim=1)


def count(model: nn.Module, data: dict[str, Any]) -> tuple[int, int]:
    """Return the floating-point operations of the forward pass, and the bytes it keeps."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}
    alive = []  # so that no address is used twice

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(storage)
        return tensor

    with FlopCounterMode(display=False) as counter:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            losses = model(**data, mode="loss")
    assert losses
    return counter.get_total_flops(), sum(kept.values())


if __name__ == "__main__":
    run_options(main)
