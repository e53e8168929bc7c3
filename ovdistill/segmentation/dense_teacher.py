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


class DenseTeacher:
    """Embeds the pixels of a network's input.

    Args:
        teacher: with dense features.
        scale: images are resized by it before. Above 1 the grid is finer, and objects are larger.
    """

    def __init__(self, teacher: Teacher, scale: float = 1.0) -> None:
        self.teacher = teacher
        self.scale = scale

    def embed(self, images: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Return dense embeddings, without gradients.

        Args:
            images: (N, 3, H, W) float RGB in [0, 1].
            size: the grid to interpolate to; None for the teacher's own.

        Returns:
            (N, D, h, w) float32, unit norm along D, on the device of ``images``.
        """
        stride = self.teacher.dense_stride
        sides = [max(1, round(side * self.scale / stride)) * stride for side in images.shape[-2:]]
        with torch.no_grad():
            resized = F.interpolate(
                images, size=sides, mode="bilinear", align_corners=False, antialias=True
            )
            dense = self.teacher.encode_dense(resized.clamp(0, 1)).to(images.device)
            if size is None:
                return dense
            return F.normalize(torch.stack([resize(one, size) for one in dense]), dim=1)
