"""The dense teacher beside a segmentor: frozen, and no part of its checkpoints.

Its cost in a training step is a forward pass of the teacher's image tower for each image.

Shapes: N images, D embedding width, h x w a grid.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.segmentation.best_names import resize
from ovdistill.teacher import Teacher
from ovdistill.teacher.dense_regions import DenseRegions


class DenseTeacher:
    """Embeds the pixels of a network's input.

    Args:
        teacher: with dense features.
        scale: images are resized by it before. Above 1 the grid is finer, and objects are larger.
        size: the longer side that images are brought to in pixels, in place of ``scale``.

    Raises:
        UserError: a size below 1.
    """

    def __init__(self, teacher: Teacher, scale: float = 1.0, *, size: int | None = None) -> None:
        self.teacher = teacher
        self.scale = scale
        self._rule = None if size is None else DenseRegions(size)

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width to which an image is brought, in pixels, in whole positions.

        Args:
            height: of the image.
            width: of the image.
        """
        stride = self.teacher.dense_stride
        if self._rule is not None:
            return self._rule.input_size(height, width, stride)
        rows, columns = (max(1, round(side * self.scale / stride)) for side in (height, width))
        return rows * stride, columns * stride

    def embed(self, images: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Return dense embeddings, without gradients.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1].
            size: the grid to interpolate to; None for the teacher's own.

        Returns:
            (N, D, h, w) float32, unit norm along D, on the device of ``images``.
        """
        sides = self.input_size(images.shape[2], images.shape[3])
        with torch.no_grad():
            resized = F.interpolate(
                images, size=sides, mode="bilinear", align_corners=False, antialias=True
            )
            dense = self.teacher.encode_dense(resized.clamp(0, 1)).to(images.device)
            if size is None:
                return dense
            return F.normalize(torch.stack([resize(one, size) for one in dense]), dim=1)
