"""Boxes of several images in one list, without a loop over the images.

A graph that takes any number of images has no loop over them. So the boxes of all images are rows
of one list, and each row says which image it is of.

Shapes: N images, R rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import nms


@dataclass(frozen=True)
class Rows:
    """R boxes of N images, those of an image one after another.

    Attributes:
        boxes: (R, 4) xyxy, absolute pixels of the network input.
        image: (R,) int64, the index of the image.
        images: (N,) int64, the indices of all images: 0 to N - 1.
    """

    boxes: Tensor
    image: Tensor
    images: Tensor

    @property
    def rois(self) -> Tensor:
        """The (R, 5) RoIs: index of the image, and box."""
        return torch.cat([self.image[:, None].to(self.boxes.dtype), self.boxes], dim=1)

    @property
    def of_image(self) -> Tensor:
        """The (R, N) bool mask of the rows of each image."""
        return self.image[:, None] == self.images

    def only(self, rows: Tensor) -> Rows:
        """Return some rows, by (r,) int64 indices."""
        return Rows(self.boxes[rows], self.image[rows], self.images)

    def with_boxes(self, boxes: Tensor) -> Rows:
        """Return the same rows with other (R, 4) boxes."""
        return Rows(boxes, self.image, self.images)

    def clipped(self, boxes: Tensor, sizes: Tensor) -> Rows:
        """Return the same rows with (R, 4) boxes, clipped to images of (N, 2) sides."""
        limits = sizes.flip(1).repeat(1, 2).to(boxes.dtype)
        return self.with_boxes(torch.minimum(boxes.clamp(min=0), limits[self.image]))

    def suppressed(self, scores: Tensor, iou: float, group: Tensor | None = None) -> Tensor:
        """Return which rows non-maximum suppression keeps, best first among all images.

        Rows of different images, or of different groups, suppress none of each other. As in mmcv's
        ``batched_nms`` a group is moved along the diagonal, by the same amount, so that of a single
        image the same rows are kept. An image is moved downwards, away from the same group of
        others: by its index times the largest coordinate, for which float32 has digits enough.

        Args:
            scores: (R,).
            iou: a row that overlaps a better one by more is left out.
            group: (R,) int64, such as the class of each row.

        Returns:
            (r,) int64 indices.
        """
        boxes = self.boxes
        side = torch.cat([boxes.flatten(), boxes.new_zeros(1)]).max() + 1
        if group is not None:
            boxes = boxes + (group.to(boxes.dtype) * side)[:, None]
        down = self.image.to(boxes.dtype) * side
        boxes = boxes + torch.stack([torch.zeros_like(down), down] * 2, dim=1)
        return nms(boxes, scores, iou)

    def first(self, rows: Tensor, most: int) -> Tensor:
        """Return at most ``most`` of (r,) rows of each image: the first ones."""
        of_image = self.of_image[rows]
        rank = (of_image.long().cumsum(dim=0) * of_image).sum(dim=1)
        return rows[(rank <= most).nonzero()[:, 0]]

    def by_image(self, rows: Tensor) -> Tensor:
        """Return (r,) rows sorted by image, those of an image in their given order."""
        order = torch.arange(rows.shape[0], device=rows.device)  # ONNX has no stable sort
        return rows[(self.image[rows] * rows.shape[0] + order).argsort()]
