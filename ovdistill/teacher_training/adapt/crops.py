"""Labelled regions as pixels, for methods that learn in front of the image tower or in it.

Shapes: n regions, m of them in a batch, S side of the teacher's input.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.teacher import CropPolicy, Teacher
from ovdistill.teacher.jitter import jitter_boxes

MOST_BYTES = 500_000_000  # of decoded images: 540 of 640 x 480 pixels


class DecodedImages:
    """The images that were asked for last, up to ``MOST_BYTES`` of them."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, Tensor] = OrderedDict()  # the last one was asked for last
        self._bytes = 0

    def read(self, file: str) -> Tensor:
        """Return an image, (3, H, W) uint8 RGB, which may be kept from an earlier call.

        Raises:
            ImageError: it is missing or damaged.
        """
        image = self._images.pop(file, None)
        if image is None:
            image = torch.from_numpy(read_image(file)).permute(2, 0, 1)
            self._bytes += image.nbytes
        self._images[file] = image
        while self._bytes > MOST_BYTES:
            self._bytes -= self._images.popitem(last=False)[1].nbytes
        return image


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
        images: reads the files.
    """

    files: Sequence[str]
    boxes: Tensor
    policy: CropPolicy
    size: int
    interpolation: str
    images: DecodedImages = field(default_factory=DecodedImages, repr=False)

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
        images = {file: self.images.read(file) for file in dict.fromkeys(own.files)}
        regions = ((images[file], box[None]) for file, box in zip(own.files, boxes, strict=True))
        (crops,) = self.policy.crop(regions, self.size, self.interpolation)
        return crops
