"""Cut boxes out of images for the teacher, and fuse the embeddings of several crops of a box.

The crop is part of the distillation target, and papers differ in it: ViLD and DetPro use 1x and
1.5x, RKD 1x only, OADP one large square. So it is an explicit choice, which stores record.

Shapes: P boxes, C scales, n crops (P * C of an image), S side of the teacher's input, D embedding
width.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.teacher.resample import Placement, cut

SHAPES = ("clip", "square", "pad", "squash")
FUSES = ("sum_then_norm", "norm_then_mean")


@dataclass(frozen=True)
class CropPolicy:
    """Rule by which a box is cropped at several scales and the crops' embeddings become one.

    A crop consists of whole pixels: the corners of the scaled box are rounded, as in PIL.

    Attributes:
        scales: one crop each; the box is enlarged by this factor about its centre.
        shape: how a crop becomes a square. "clip": its shorter side is brought to S and the middle
            of the longer one kept, as CLIP does with images (long objects lose their ends);
            "square": the crop is a square of the box's longer side, with what is around the box;
            "pad": its longer side is brought to S, the rest is ``fill``; "squash": both sides are
            brought to S.
        fuse: "sum_then_norm": the raw embeddings of the scales are added, then unit norm (DetPro);
            "norm_then_mean": each is brought to unit norm before they are averaged, then unit norm.
        fill: RGB colour, 0 to 255, of pixels outside of the image and of the rest in "pad".
    """

    scales: tuple[float, ...] = (1.0, 1.5)
    shape: str = "square"
    fuse: str = "sum_then_norm"
    fill: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        for name in ("scales", "fill"):
            value = getattr(self, name)
            if not isinstance(value, (list, tuple)) or {*map(type, value)} - {int, float}:
                raise UserError(f"crop {name} {value!r:.100}; expected a list of numbers: [1, 1.5]")
        object.__setattr__(self, "scales", tuple(float(scale) for scale in self.scales))
        object.__setattr__(self, "fill", tuple(self.fill))
        if not self.scales or not all(s > 0 and math.isfinite(s) for s in self.scales):
            raise UserError(f"crop scales {self.scales}; expected one or more positive numbers")
        for value, allowed in ((self.shape, SHAPES), (self.fuse, FUSES)):
            if value not in allowed:
                raise UserError(f"crop policy {value!r}; expected one of: {', '.join(allowed)}")
        if len(self.fill) != 3 or not all(v in range(256) for v in self.fill):
            raise UserError(f"crop fill {self.fill}; expected red, green and blue of 0 to 255")

    def to_dict(self) -> dict[str, Any]:
        """Return the arguments of an equal policy, as plain JSON values."""
        return {**asdict(self), "scales": list(self.scales), "fill": list(self.fill)}

    def rectangles(self, boxes: Tensor) -> Tensor:
        """Return the whole pixels that each crop shows.

        Args:
            boxes: (P, 4) float, xyxy, absolute pixels of an image.

        Returns:
            (P * C, 4) int64, xyxy, absolute pixels of the image, box-major (all scales of box 0
            first), at least one pixel wide and high; they may reach outside of the image.
        """
        boxes = boxes.double()  # half pixels round the same way on every device
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        side = boxes[:, 2:] - boxes[:, :2]
        if self.shape == "square":
            side = side.max(dim=1, keepdim=True).values.expand(-1, 2)
        scales = torch.tensor(self.scales, dtype=torch.float64, device=boxes.device)
        side = side[:, None] * scales[:, None]
        start = (centre[:, None] - side / 2).round().long()
        if self.shape == "square":
            end = start + side.round().long()
        else:
            end = (centre[:, None] + side / 2).round().long()
        return torch.cat([start, torch.maximum(end, start + 1)], dim=-1).flatten(0, 1)

    def place(self, rectangles: Tensor, size: int) -> Placement:
        """Return the size to which each crop is resized and its position in the teacher's input.

        Rounding follows torchvision's Resize and CenterCrop ("clip") and of open_clip's
        ResizeKeepRatio and CenterCropOrPad ("pad").

        Args:
            rectangles: (n, 4) int64, see ``rectangles``.
            size: S.
        """
        sides = (rectangles[:, 2:] - rectangles[:, :2]).flip(1).double()  # height, width
        if self.shape == "clip":
            resized = (size * sides / sides.min(dim=1, keepdim=True).values).floor()
            offset = -((resized - size) / 2).round()
        elif self.shape == "pad":
            resized = (sides / (sides.max(dim=1, keepdim=True).values / size)).round().clamp(min=1)
            offset = ((size - resized) / 2).floor()
        else:
            resized = torch.full_like(sides, size)
            offset = torch.zeros_like(sides)
        return Placement(rectangles, resized.long(), offset.long(), size, self.fill)

    def crop(
        self,
        regions: Iterable[tuple[Tensor, Tensor]],
        size: int,
        interpolation: str = "bicubic",
        batch_size: int | None = None,
    ) -> Iterator[Tensor]:
        """Yield all crops of all boxes of a stream of images, in full batches that mix images.

        Args:
            regions: pairs of an image (3, H, W) uint8 RGB, of any size but all on one device, and
                its boxes (P, 4) float, xyxy, absolute pixels of the image; P may be 0.
            size: S, pixels.
            interpolation: 'bicubic' or 'bilinear', both antialiased.
            batch_size: n, crops in a batch; None = all crops in one.

        Yields:
            (n, 3, S, S) uint8 on the device of the images, image by image, box-major; the last
            batch may be smaller.
        """
        images: list[Tensor] = []
        rectangles, index = torch.zeros(0, 4, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)

        def batch(count: int) -> Tensor:
            return cut(images, index[:count], self.place(rectangles[:count], size), interpolation)

        for image, boxes in regions:
            new = self.rectangles(boxes.cpu())
            rectangles = torch.cat([rectangles, new])
            index = torch.cat([index, torch.full((len(new),), len(images))])
            images.append(image)
            while batch_size and len(index) >= batch_size:
                yield batch(batch_size)
                rectangles, index = rectangles[batch_size:], index[batch_size:]
                first = int(index[0]) if len(index) else len(images)
                images, index = images[first:], index - first
        if len(index):
            yield batch(len(index))

    def fuse_scales(self, embeddings: Tensor) -> Tensor:
        """Fuse the embeddings of a box's scales into one of unit norm.

        Args:
            embeddings: (P * C, D) raw, box-major.

        Returns:
            (P, D) float32, unit norm.
        """
        embeddings = embeddings.float().unflatten(0, (-1, len(self.scales)))
        if self.fuse == "norm_then_mean":
            embeddings = normalize(embeddings, dim=-1)
        return normalize(embeddings.sum(dim=1), dim=-1)
