"""Teacher on crops: the teacher classifies a detector's boxes at test time.

The strong and slow baseline of ViLD ("ViLD-text + CLIP"): nothing is distilled, and the teacher
embeds every box of every image. It crops the image files, as an extraction does: the network's own
input is resized, which shows the teacher less of a large image and a blur of a small one.

Shapes: N images, R boxes, D embedding width, W class names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mmdet.structures import SampleList
from torch import Tensor

from ovdistill.models.original_images import OriginalImage, read_original
from ovdistill.teacher import Teacher


class TeacherOnCrops:
    """Computes log-probabilities of classes for boxes with the teacher.

    Not a module, because the teacher is not part of the detector or of its checkpoints.

    Args:
        teacher: crops and embeds the boxes.
        temperature: cosines are divided by it; by default the teacher's own.
    """

    def __init__(self, teacher: Teacher, temperature: float | None = None) -> None:
        self.teacher = teacher
        self.temperature = temperature or teacher.temperature

    def of_images(self, samples: SampleList) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        """Read the files of N images; return ``classify`` for their boxes.

        Args:
            samples: of the images, with the metadata that ``read_original`` needs.

        Raises:
            UserError: see ``read_original``.
        """
        images = [read_original(sample.metainfo) for sample in samples]
        return partial(self.classify, images)

    def classify(
        self, images: Sequence[OriginalImage], boxes: Tensor, image_index: Tensor, texts: Tensor
    ) -> Tensor:
        """Classify boxes.

        Args:
            images: N images.
            boxes: (R, 4) xyxy, absolute pixels of the network input.
            image_index: (R,) int64 index in [0, N) of the image of each box, in ascending order.
            texts: (W, D) text embeddings of the class names, unit norm.

        Returns:
            (R, W) log-softmax over the classes.
        """
        embeddings = self.embed(images, boxes, image_index).to(texts)
        return (embeddings @ texts.T / self.temperature).log_softmax(dim=-1)

    def embed(self, images: Sequence[OriginalImage], boxes: Tensor, image_index: Tensor) -> Tensor:
        """Embed boxes as an extraction does, see ``classify`` for the arguments.

        Returns:
            (R, D) float32, unit norm, on the teacher's device.
        """
        counts = image_index.bincount(minlength=len(images)).tolist()
        own = [
            image.boxes_of(part) for image, part in zip(images, boxes.split(counts), strict=True)
        ]
        return self.teacher.encode_regions([image.pixels for image in images], own)
