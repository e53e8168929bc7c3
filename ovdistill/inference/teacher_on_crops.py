"""Teacher on crops: a detector's boxes named by the teacher at test time.

The strong and slow baseline of ViLD ("ViLD-text + CLIP"): nothing is distilled, every box of every
picture goes through the teacher.

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
        self._pictures: Tensor | None = None

    def look_at(self, inputs: Tensor) -> None:
        """Takes the pictures of a batch, (N, 3, H, W) as the detector sees them."""
        pixels = inputs * self.preprocessor.std + self.preprocessor.mean
        # without the swap the detector sees the BGR that mmcv reads
        pixels = pixels if self.preprocessor._channel_conversion else pixels.flip(1)
        self._pictures = (pixels / 255).clamp(0, 1)

    def __call__(self, boxes: Tensor, image_index: Tensor, words: Tensor) -> Tensor:
        """Names boxes of the pictures last looked at.

        Args:
            boxes: (R, 4) xyxy, absolute pixels of the network input.
            image_index: (R,) int64; the boxes of an image stand together, in order of the images.
            words: (W, D) unit norm.

        Returns:
            (R, W) log-softmax over the words.
        """
        height, width = self._pictures.shape[-2:]
        boxes = clip_boxes_to_image(boxes, (height - 1, width - 1))
        # a box that was pushed out of the picture still needs an area
        boxes = torch.cat([boxes[:, :2], torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)], dim=1)
        counts = torch.bincount(image_index, minlength=len(self._pictures)).tolist()
        embeddings = self.teacher.encode_regions([*self._pictures], boxes.split(counts)).to(words)
        return (embeddings @ words.T / self.temperature).log_softmax(dim=-1)
