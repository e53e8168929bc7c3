"""Embed regions from one pass over their image: RoIAlign on the teacher's dense features.

Crops show the teacher each region alone, at the size that it was trained for, and cost a pass each.
Here all regions of an image share one pass (CLIPSelf, Wu et al., arXiv 2310.01403), or the first
stages of it (see ``stages``).

Shapes: n images, P boxes of an image, D embedding width, h x w positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize
from torchvision.ops import roi_align

from ovdistill.core.errors import UserError

MODE = "dense"


@dataclass(frozen=True, eq=False)
class DenseBatch:
    """Images of one size, and the boxes of each.

    Attributes:
        images: (n, 3, H, W) uint8 RGB; H and W are multiples of the teacher's stride.
        boxes: n tensors (P, 4) float, xyxy, absolute pixels of ``images``.
        stage: see ``DenseRegions``.
    """

    images: Tensor
    boxes: tuple[Tensor, ...]
    stage: int | None = None


@dataclass(frozen=True)
class DenseRegions:
    """Rule by which regions are embedded from one pass over their whole image.

    The image is brought to ``size``. Without a stage, each box gets the mean, by RoIAlign, of the
    unit features of the positions in it, brought to unit norm. With one, each region is cut out of
    the features after that stage and goes through the later ones alone (see ``stages``).

    Attributes:
        size: longer side of the teacher's input in pixels. Both sides are rounded to whole
            positions, so the aspect ratio may change a little.
        stage: number of the image tower's last stage that regions share, the first is 1; for
            ResNets and ConvNeXts. None: they share all, and any tower will do.
    """

    size: int = 1024
    stage: int | None = None

    def __post_init__(self) -> None:
        if not _is_count(self.size):
            raise UserError(
                f"size {self.size!r} of dense regions; expected the longer side of the teacher's "
                "input in pixels, such as 1024"
            )
        if self.stage is not None and not _is_count(self.stage):
            raise UserError(
                f"stage {self.stage!r} of dense regions; expected the number of a stage of the "
                "image tower, such as 3, or None"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return what tells this rule from others, as plain JSON values."""
        stage = {} if self.stage is None else {"stage": self.stage}
        return {"mode": MODE, "size": self.size, **stage}

    def input_size(self, height: int, width: int, stride: int) -> tuple[int, int]:
        """Return height and width to which an image is brought, in pixels.

        Args:
            height: of the image.
            width: of the image.
            stride: pixels of a position of the dense features.
        """
        scale = self.size / max(height, width) / stride
        rows, columns = (max(1, round(side * scale)) for side in (height, width))
        return rows * stride, columns * stride

    def batches(
        self,
        regions: Iterable[tuple[Tensor, Tensor]],
        stride: int,
        interpolation: str,
        pixels: int,
    ) -> Iterator[DenseBatch]:
        """Yield a stream of images in batches; those that follow each other and fit share one.

        Args:
            regions: pairs of an image (3, H, W) uint8 RGB and its boxes (P, 4) float, xyxy,
                absolute pixels of the image. Images without boxes are left out.
            stride: pixels of a position of the dense features.
            interpolation: 'bicubic' or 'bilinear', both antialiased.
            pixels: the most pixels of a batch that has more than one image.
        """
        images: list[Tensor] = []
        boxes: list[Tensor] = []
        for image, own in regions:
            if not len(own):
                continue
            height, width = image.shape[1:]
            size = self.input_size(height, width, stride)
            full = (len(images) + 1) * size[0] * size[1] > pixels
            if images and (full or images[0].shape[1:] != size):
                yield DenseBatch(torch.stack(images), tuple(boxes), self.stage)
                images, boxes = [], []
            images.append(resize(image, size, interpolation))
            scale = own.new_tensor([size[1] / width, size[0] / height] * 2)
            boxes.append((own * scale).to(image.device))
        if images:
            yield DenseBatch(torch.stack(images), tuple(boxes), self.stage)


def pool_boxes(features: Tensor, boxes: Sequence[Tensor], stride: int) -> Tensor:
    """Average dense features over boxes, by RoIAlign of one bin.

    Args:
        features: (n, D, h, w) float32.
        boxes: n tensors (P, 4), xyxy, absolute pixels of the input. What lies outside of the input
            is cut off; of a box that lies outside, the nearest pixel remains.
        stride: pixels of a position.

    Returns:
        (P, D) float32, unit norm; P boxes of all images, in order. Gradients reach the features.
    """
    height, width = (side * stride for side in features.shape[2:])
    boxes = [_inside(own.to(features), height, width) for own in boxes]
    pooled = roi_align(features, boxes, 1, spatial_scale=1 / stride, aligned=True)
    return normalize(pooled.flatten(1), dim=1)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _inside(boxes: Tensor, height: int, width: int) -> Tensor:
    """Return (P, 4) boxes cut off at the edges of an image, a pixel wide and high at least."""
    limit = boxes.new_tensor([width, height])
    start = torch.minimum(boxes[:, :2].clamp(min=0), limit - 1)
    return torch.cat([start, torch.maximum(torch.minimum(boxes[:, 2:], limit), start + 1)], dim=1)


def resize(image: Tensor, size: tuple[int, int], interpolation: str) -> Tensor:
    """Return an image (3, H, W) uint8 brought to another height and width, antialiased."""
    if image.shape[1:] == size:
        return image
    if image.device.type == "cpu":  # torch's integer kernel, as for crops
        source = image[None].contiguous(memory_format=torch.channels_last)
        return interpolate(source, size=size, mode=interpolation, antialias=True)[0]
    resized = interpolate(image[None].float(), size=size, mode=interpolation, antialias=True)[0]
    return resized.round().clamp(0, 255).byte()
