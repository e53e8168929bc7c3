"""Labelled regions as pixels, for methods that learn in front of the image tower or in it.

Shapes: n regions, m of them in a batch, S side of the teacher's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.teacher import CropPolicy, Teacher
from ovdistill.teacher.jitter import jitter_boxes


@dataclass(frozen=True, eq=False)
class RegionCrops:
    """n regions of images, which are cropped when they are asked for.

    The pixels of all regions of a data set would not fit into memory, and a box that is moved a
    little each time is a new example each time.

    Attributes:
        files: the image file of each region.
        boxes: (n, 4) float32, xyxy, absolute pixels of the image.
        policy: how regions are cropped.
        size: S, pixels.
        interpolation: 'bicubic' or 'bilinear'.
    """

    files: Sequence[str]
    boxes: Tensor
    policy: CropPolicy
    size: int
    interpolation: str

    @classmethod
    def of_teacher(cls, files: Sequence[str], boxes: Tensor, teacher: Teacher) -> RegionCrops:
        """Return regions that are cropped as a teacher crops them.

        Raises:
            UserError: it embeds regions from one pass over the image.
        """
        if not isinstance(teacher.crops, CropPolicy):
            raise UserError(
                f"teacher {teacher.name!r} has dense regions, and pixels are learned on crops; "
                "expected crops=dict(mode='crops')"
            )
        return cls(files, boxes.float(), teacher.crops, teacher.image_size, teacher.interpolation)

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Tensor) -> RegionCrops:
        return replace(
            self, files=[self.files[row] for row in rows.tolist()], boxes=self.boxes[rows]
        )

    def cut(self, rows: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Read and crop regions.

        Args:
            rows: (m,) int64, at least one.
            generator: moves the boxes a little, see ``jitter_boxes``; None leaves them.

        Returns:
            (m * scales, 3, S, S) uint8 RGB, box-major, on the CPU.

        Raises:
            ImageError: an image is missing or damaged.
        """
        own = self[rows]
        boxes = own.boxes if generator is None else jitter_boxes(own.boxes, generator)
        regions = (
            (torch.from_numpy(read_image(file)).permute(2, 0, 1), box[None])
            for file, box in zip(own.files, boxes, strict=True)
        )
        (crops,) = self.policy.crop(regions, self.size, self.interpolation)
        return crops
