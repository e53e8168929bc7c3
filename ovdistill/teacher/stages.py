"""Regions from the features after a stage of a hierarchical image tower, with gradients.

A crop goes through all stages of a tower. Here the image goes through the first ones, once. Each
region is cut out of their features by RoIAlign, in the grid that a crop of the teacher's input size
has there, and goes alone through the later stages and the tower's own pooling: RegionCLIP (Zhong et
al., arXiv 2112.09106) does so after stage 3 of 4, F-VLM (Kuo et al., arXiv 2209.15639) after the
last. The earlier the stage, the nearer regions are to crops, and the more each of them costs.

Shapes: n images, P regions of all of them, C width of a stage, D embedding width, h x w positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from timm.models.convnext import ConvNeXt
from torch import Tensor, cat, nn
from torchvision.ops import roi_align

from ovdistill.core.errors import UserError

AT_A_TIME = 256  # regions in the later stages, which bounds the memory


@dataclass(frozen=True, eq=False)
class StagedTower:
    """An image tower as a row of stages.

    Attributes:
        stem: from pixels (n, 3, H, W) to the features that the first stage takes.
        stages: modules that follow each other.
        strides: pixels, along each axis, of a position behind each stage.
        pool: from the last stage's features (P, C, h, w) to raw embeddings (P, D).
    """

    stem: Callable[[Tensor], Tensor]
    stages: Sequence[nn.Module]
    strides: Sequence[int]
    pool: Callable[[Tensor], Tensor]


def staged_tower(model: Any) -> StagedTower:
    """Return the stages of an open_clip model's image tower.

    Raises:
        UserError: a tower of another kind than ModifiedResNet and ConvNeXt.
    """
    visual = model.visual
    if isinstance(visual, ModifiedResNet):
        stages = (visual.layer1, visual.layer2, visual.layer3, visual.layer4)
        return StagedTower(visual.stem, stages, (4, 8, 16, 32), visual.attnpool)
    if isinstance(visual, TimmModel) and isinstance(visual.trunk, ConvNeXt):
        return _convnext(visual, visual.trunk)
    kind = type(getattr(visual, "trunk", visual)).__name__
    raise UserError(
        f"an image tower {kind} has no stages to cut regions out of; "
        "expected a ResNet or ConvNeXt of open_clip, or dense regions without a stage"
    )


def _convnext(visual: Any, trunk: Any) -> StagedTower:
    """Return the stages of timm's ConvNeXt, with open_clip's projection behind it."""
    return StagedTower(
        trunk.stem,
        tuple(trunk.stages),
        [info["reduction"] for info in trunk.feature_info],
        lambda last: visual.head(trunk.forward_head(trunk.norm_pre(last))),
    )


def embed_after_stage(
    model: Any, pixels: Tensor, boxes: Sequence[Tensor], stage: int, size: int
) -> Tensor:
    """Embed regions from the features after a stage.

    A region is the square of its box's longer side, with what is around the box, as crops of shape
    "square"; what lies outside of the image is zero. The whole of a square input of the teacher's
    size gets the embedding of that image.

    Args:
        model: an open_clip model, whose classes publish no types.
        pixels: (n, 3, H, W) normalised, of the tower's dtype; H and W are multiples of its stride.
        boxes: n tensors (P_i, 4) float, xyxy, absolute pixels of the input.
        stage: number of the stage, the first is 1.
        size: side of the teacher's input in pixels.

    Returns:
        (P, D) of the tower's dtype, raw (not unit norm); regions of all images, in order.

    Raises:
        UserError: a tower without stages, or without this one.
    """
    tower = staged_tower(model)
    if stage > len(tower.stages):
        raise UserError(
            f"stage {stage} of an image tower of {len(tower.stages)}; expected 1 to "
            f"{len(tower.stages)}"
        )
    features = tower.stem(pixels)
    for module in tower.stages[:stage]:
        features = module(features)
    stride = tower.strides[stage - 1]
    image = cat([own.new_full((len(own), 1), row) for row, own in enumerate(boxes)])
    # in half precision, coordinates would be off by whole pixels
    rois = cat([image, squares(cat([*boxes]))], dim=1).float().to(features.device)
    maps = features.float()
    parts = []
    for part in rois.split(AT_A_TIME):
        hidden = roi_align(maps, part, size // stride, spatial_scale=1 / stride, aligned=True)
        hidden = hidden.to(features.dtype)
        for module in tower.stages[stage:]:
            hidden = module(hidden)
        parts.append(tower.pool(hidden))
    return cat(parts)


def squares(boxes: Tensor) -> Tensor:
    """Return (P, 4) the squares about the centres of boxes, as wide as their longer sides."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True) / 2
    return cat([centre - half, centre + half], dim=1)
