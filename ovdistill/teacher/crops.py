"""How a box becomes the pictures that the teacher sees.

The crop is part of the distillation target: papers differ in it (ViLD and DetPro use 1x and 1.5x,
RKD 1x only, OADP one large square), so it is an explicit, saved choice.

Shapes: P boxes, S scales.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import roi_align

from ovdistill.errors import UserError

SHAPES = ("square", "squash")
OUTSIDES = ("pad", "clip")
FUSES = ("sum", "unit_sum")


def cut(images: Tensor, crops: Tensor, index: Tensor, size: int) -> Tensor:
    """Cuts rectangles out of pictures; what lies outside of a picture is black.

    Each output pixel is the mean of bilinear samples at most one source pixel apart (RoIAlign,
    aligned, adaptive sampling), so a large rectangle is smoothed before it shrinks.

    Args:
        images: (N, 3, H, W), uint8 or float.
        crops: (n, 4) float, xyxy, absolute pixels of its picture.
        index: (n,) the picture of each crop.
        size: side of the results in pixels.

    Returns:
        (n, 3, size, size) float32 in the range of ``images``.
    """
    rois = torch.cat([index[:, None].to(crops), crops], dim=1)
    return roi_align(images.float(), rois, output_size=size, aligned=True)


@dataclass(frozen=True)
class CropPolicy:
    """Crops of a box at several scales, and how their embeddings become one.

    Attributes:
        scales: one crop each; the box is enlarged by this factor about its centre.
        shape: "square": the crop's side is the longer side of the box, its aspect is kept;
            "squash": the box itself, stretched to the teacher's square input.
        outside: of the picture: "pad" with black (DetPro), or "clip" the crop to the picture
            (which may stretch it).
        fuse: "sum": the raw embeddings of the scales are added, then unit norm (DetPro);
            "unit_sum": each is brought to unit norm before they are added.
    """

    scales: tuple[float, ...] = (1.0, 1.5)
    shape: str = "square"
    outside: str = "pad"
    fuse: str = "sum"

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", tuple(float(scale) for scale in self.scales))
        if not self.scales or not all(s > 0 and math.isfinite(s) for s in self.scales):
            raise UserError(f"crop scales {self.scales}; expected one or more positive numbers")
        for value, allowed in (
            (self.shape, SHAPES),
            (self.outside, OUTSIDES),
            (self.fuse, FUSES),
        ):
            if value not in allowed:
                raise UserError(f"crop policy {value!r}; expected one of: {', '.join(allowed)}")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON form, for headers: ``CropPolicy(**d)`` gives the policy back."""
        return {**asdict(self), "scales": list(self.scales)}

    def crop_boxes(self, boxes: Tensor, image_size: Sequence[int]) -> Tensor:
        """The part of the picture each crop shows.

        Args:
            boxes: (P, 4) float, xyxy, absolute pixels of the picture.
            image_size: (height, width) of the picture in pixels.

        Returns:
            (P, S, 4) float32, xyxy, absolute pixels of the picture; it may reach outside of it
            where ``outside`` is "pad".
        """
        boxes = boxes.float()
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        side = boxes[:, 2:] - boxes[:, :2]
        if self.shape == "square":
            side = side.max(dim=1, keepdim=True).values.expand(-1, 2)
        scales = torch.tensor(self.scales, device=boxes.device)
        half = side[:, None, :] * scales[None, :, None] / 2
        crops = torch.cat([centre[:, None] - half, centre[:, None] + half], dim=-1)
        if self.outside == "clip":
            height, width = image_size
            crops = crops.clamp(min=0).minimum(crops.new_tensor([width, height, width, height]))
        return crops

    def crop(self, image: Tensor, boxes: Tensor, size: int) -> Tensor:
        """All crops of all boxes in one call.

        Args:
            image: (3, H, W), uint8 or float.
            boxes: (P, 4) float, xyxy, absolute pixels of ``image``.
            size: side of the crops in pixels.

        Returns:
            (P * S, 3, size, size) in the range of ``image``, box-major (all scales of box 0
            first); float32.
        """
        crops = self.crop_boxes(boxes.to(image.device), image.shape[-2:]).reshape(-1, 4)
        return cut(image[None], crops, torch.zeros(len(crops), device=image.device), size)

    def fuse_scales(self, embeddings: Tensor) -> Tensor:
        """One unit-norm embedding a box: (P * S, D) raw, box-major -> (P, D) float32."""
        embeddings = embeddings.float().unflatten(0, (-1, len(self.scales)))
        if self.fuse == "unit_sum":
            embeddings = torch.nn.functional.normalize(embeddings, dim=-1)
        return torch.nn.functional.normalize(embeddings.sum(dim=1), dim=-1)
