"""Teacher on crops: a detector's boxes named by the teacher at test time.

The strong and slow baseline of ViLD ("ViLD-text + CLIP"): nothing is distilled, every box of every
image goes through the teacher.

Shapes: N images, R boxes, D embedding width, W words.
"""

from __future__ import annotations

import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor
from torch import Tensor
from torchvision.ops import clip_boxes_to_image

from ovdistill.teacher import Teacher


class TeacherOnCrops:
    """Log-probabilities of words for boxes, by the teacher.

    Not a module: the teacher is no part of the detector, nor of its checkpoints.

    Args:
        teacher: crops and embeds the boxes.
        preprocessor: of the detector; it is undone to have the pixels back.
        temperature: cosines are divided by it; the teacher's own unless given.
    """

    def __init__(
        self, teacher: Teacher, preprocessor: DetDataPreprocessor, temperature: float | None = None
    ) -> None:
        self.teacher = teacher
        self.preprocessor = preprocessor
        self.temperature = temperature or teacher.temperature

    def pixels(self, inputs: Tensor) -> list[Tensor]:
        """Undo the detector's preprocessing.

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
        """Name boxes of images.

        Args:
            pixels: N images, from ``pixels``.
            boxes: (R, 4) xyxy, absolute pixels of the network input.
            image_index: (R,) int64; the boxes of an image stand together, in order of the images.
            texts: (W, D) unit norm, the embeddings of the class names.

        Returns:
            (R, W) log-softmax over the class names.
        """
        height, width = pixels[0].shape[-2:]
        boxes = clip_boxes_to_image(boxes, (height - 1, width - 1))
        # a box that was pushed out of the image still needs an area
        boxes = torch.cat([boxes[:, :2], torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)], dim=1)
        counts = torch.bincount(image_index, minlength=len(pixels)).tolist()
        embeddings = self.teacher.encode_regions(pixels, boxes.split(counts)).to(texts)
        return (embeddings @ texts.T / self.temperature).log_softmax(dim=-1)
