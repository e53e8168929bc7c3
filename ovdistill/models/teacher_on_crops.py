"""Teacher on crops: the teacher classifies a detector's boxes at test time.

The strong and slow baseline of ViLD ("ViLD-text + CLIP"): nothing is distilled, and the teacher
embeds every box of every image.

Shapes: N images, R boxes, D embedding width, W class names.
"""

from __future__ import annotations

import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor
from torch import Tensor
from torchvision.ops import clip_boxes_to_image

from ovdistill.teacher import Teacher


class TeacherOnCrops:
    """Computes log-probabilities of classes for boxes with the teacher.

    Not a module, because the teacher is not part of the detector or of its checkpoints.

    Args:
        teacher: crops and embeds the boxes.
        preprocessor: that of the detector; it is undone to get the pixels back.
        temperature: cosines are divided by it; by default the teacher's own.
    """

    def __init__(
        self, teacher: Teacher, preprocessor: DetDataPreprocessor, temperature: float | None = None
    ) -> None:
        self.teacher = teacher
        self.preprocessor = preprocessor
        self.temperature = temperature or teacher.temperature

    def pixels(self, inputs: Tensor) -> list[Tensor]:
        """Return the pixels of images, with the detector's preprocessing undone.

        Args:
            inputs: (N, 3, H, W) images as the detector sees them.

        Returns:
            N images (3, H, W) float32 RGB in [0, 1].
        """
        pixels = inputs * self.preprocessor.std + self.preprocessor.mean
        # without the swap the detector sees the BGR that images are packed in
        pixels = pixels if self.preprocessor._channel_conversion else pixels.flip(1)
        return [*(pixels / 255).clamp(0, 1)]

    def __call__(
        self, pixels: list[Tensor], boxes: Tensor, image_index: Tensor, texts: Tensor
    ) -> Tensor:
        """Classify boxes.

        Args:
            pixels: N images, from ``pixels``.
            boxes: (R, 4) xyxy, absolute pixels of the network input.
            image_index: (R,) int64 index in [0, N) of the image of each box, in ascending order.
            texts: (W, D) text embeddings of the class names, unit norm.

        Returns:
            (R, W) log-softmax over the classes.
        """
        height, width = pixels[0].shape[-2:]
        boxes = clip_boxes_to_image(boxes, (height - 1, width - 1))
        # a box that lies outside of the image still needs an area
        boxes = torch.cat([boxes[:, :2], torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)], dim=1)
        counts = torch.bincount(image_index, minlength=len(pixels)).tolist()
        embeddings = self.teacher.encode_regions(pixels, boxes.split(counts)).to(texts)
        return (embeddings @ texts.T / self.temperature).log_softmax(dim=-1)
