"""What segmentors share: a head that embeds every pixel, and terms that train it.

Shapes: N images, D embedding width, W class names, P distillation regions, h x w the grid of the
pixel embeddings, H x W pixels of an original image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.models.detectors.base import BaseDetector
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, SampleList
from mmdet.utils import ConfigType
from mmengine.structures import PixelData
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs, DistillPixels
from ovdistill.distillation.term import DistillationTerms
from ovdistill.models.vocabulary_mixin import VocabularyMixin
from ovdistill.segmentation.best_names import (
    PixelScores,
    best_names,
    most_pixels,
    to_original,
)
from ovdistill.segmentation.data.label_map import IGNORE, UNLABELLED
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.segmentation.models.pixel_regions import pixel_regions
from ovdistill.segmentation.models.pixel_word_head import PixelWordHead
from ovdistill.vocabulary import Vocabulary

PARTS = ("pixels", "dense", "regions")  # of ``DistillInputs``, which it can fill


class PixelSegmentor(VocabularyMixin, BaseDetector):
    """Base class of segmentors, which embed every pixel and are trained by terms alone.

    A subclass makes the pyramid levels that the pixel head reads (``extract_feat``), and calls
    ``init_pixels`` at the end of its constructor.
    """

    def init_pixels(
        self,
        vocabulary: Vocabulary,
        pixel_head: ConfigType,
        distillers: Sequence[ConfigType],
        *,
        channels_last: bool,
    ) -> None:
        """Build the pixel head and the terms, and set the first vocabulary.

        Args:
            vocabulary: determines the embedding width.
            pixel_head: config of a ``PixelWordHead``, without ``embed_dim``.
            distillers: configs of the terms.
            channels_last: as for ``OpenVocabularyRCNN``; of all that is built by then.

        Raises:
            UserError: a term needs RoIs or captions.
        """
        width = vocabulary.embed_dim
        self.pixel_head: PixelWordHead = MODELS.build(dict(pixel_head, embed_dim=width))
        terms = [MODELS.build(term) for term in distillers]
        self.distillers = DistillationTerms(terms, width, PARTS)
        self.dense_teacher: DenseTeacher | None = None
        if channels_last:
            self.to(memory_format=torch.channels_last)
        self.init_vocabulary(vocabulary)

    @property
    def vocabulary_head(self) -> PixelWordHead:
        """The pixel head."""
        return self.pixel_head

    @property
    def needs_dense_teacher(self) -> bool:
        """Whether a term compares pixels with the teacher's."""
        return "dense" in self.distillers.needs

    @property
    def predicts_with_teacher(self) -> bool:
        """Whether it needs the dense teacher in testing too."""
        return False

    def set_dense_teacher(self, teacher: DenseTeacher | None) -> None:
        """Take the frozen teacher of the pixels; None removes it.

        Raises:
            UserError: it is not the teacher of the vocabulary.
        """
        if teacher is not None:
            given, expected = teacher.teacher.id, self.vocabulary.teacher
            if not expected.is_same(given):
                raise UserError(
                    f"got the dense teacher {given}; the vocabulary is of teacher {expected}. "
                    "Expected the same: prepare the vocabulary again with the config's teacher."
                )
        self.dense_teacher = teacher

    def dense_teacher_or_error(self) -> DenseTeacher:
        """Return the dense teacher.

        Raises:
            UserError: none was set.
        """
        if self.dense_teacher is None:
            raise UserError(
                "the segmentor needs the teacher's dense embeddings, and has no dense teacher; "
                'expected custom_hooks=[dict(type="BuildDenseTeacher")] in the config.'
            )
        return self.dense_teacher

    def embed_pixels(self, batch_inputs: Tensor) -> Tensor:
        """Return the (N, D, h, w) embeddings of (N, 3, H, W) inputs, unit norm along D."""
        return self.pixel_head.embed(self.extract_feat(batch_inputs))

    def _forward(self, batch_inputs: Tensor, batch_data_samples: Any = None) -> tuple[Tensor]:
        return (self.embed_pixels(batch_inputs),)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Return the losses of the terms by name.

        Args:
            batch_inputs: (N, 3, H, W) images after preprocessing.
            batch_data_samples: of the images, with ``gt_sem_seg``.
        """
        x = self.extract_feat(batch_inputs)
        pixels = self._pixels(self.pixel_head.embed(x), batch_inputs, batch_data_samples)
        regions = None
        if "regions" in self.distillers.needs:
            height, width = batch_inputs.shape[-2:]
            regions = pixel_regions(pixels, batch_data_samples, (height, width))
        return self.distillers.losses(
            DistillInputs(
                images=len(batch_data_samples),
                texts=self.pixel_head.texts(),
                features=tuple(x),
                sampled=None,
                regions=regions,
                captions=None,
                pixels=pixels,
            )
        )

    def _pixels(self, student: Tensor, inputs: Tensor, samples: SampleList) -> DistillPixels:
        """Collect what the terms may look at of the pixels.

        The label of a position of the grid is that of the pixel in its middle.
        """
        grid = (student.shape[2], student.shape[3])
        maps = torch.stack([sample.gt_sem_seg.sem_seg for sample in samples])
        labels = F.interpolate(maps.float(), size=grid, mode="nearest-exact")[:, 0].long()
        inside = torch.zeros_like(labels, dtype=torch.bool)
        for own, sample in zip(inside, samples, strict=True):
            own[_inside(grid, sample.metainfo)] = True
        pixels = DistillPixels(
            student=student,
            labels=labels.clamp(min=IGNORE),
            unlabelled=labels == UNLABELLED,
            inside=inside,
            teacher=None,
        )
        if "dense" in self.distillers.needs:
            dense = self.dense_teacher_or_error()
            pixels.teacher = dense.embed(self._as_images(inputs), grid)
            pixels.teacher_temperature = dense.teacher.temperature
        return pixels

    def _as_images(self, inputs: Tensor) -> Tensor:
        """Return (N, 3, H, W) float RGB in [0, 1] of preprocessed inputs, which are RGB."""
        preprocessor = self.data_preprocessor
        return (inputs * preprocessor.std + preprocessor.mean) / 255

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Return the samples with ``pred_sem_seg``.

        Its ``sem_seg`` is (1, H, W) int64, rows of the vocabulary, and its ``scores`` (1, H, W) the
        probabilities of the class names among all of the vocabulary.

        Args:
            batch_inputs: (N, 3, H, W) images after preprocessing.
            batch_data_samples: of the images.
            rescale: must be True: label maps have the size of the original image.
        """
        found = self.score_pixels(batch_inputs, batch_data_samples)
        for sample, scores in zip(batch_data_samples, found, strict=True):
            sample.pred_sem_seg = self._label_map(scores, sample)
        return batch_data_samples

    def score_pixels(self, batch_inputs: Tensor, samples: SampleList) -> Iterator[PixelScores]:
        """Yield what returns the scores of class names at the pixels of each image.

        Args:
            batch_inputs: (N, 3, H, W) images after preprocessing.
            samples: of the images.
        """
        pixels = self.embed_pixels(batch_inputs)
        for index, sample in enumerate(samples):
            grid = self.pixel_head.log_scores(pixels[index : index + 1])[0].exp()
            yield partial(_upsampled, grid, sample.metainfo)

    def _label_map(self, scores: PixelScores, sample: DetDataSample) -> PixelData:
        """Return the best names of an image's pixels, see ``best_names`` and ``predict``."""
        labels, best = best_names(scores, len(self.vocabulary), most_pixels(sample.metainfo))
        return PixelData(sem_seg=labels[None], scores=best[None])


def _upsampled(grid: Tensor, meta: Mapping[str, Any], names: slice) -> Tensor:
    return to_original(grid[names], meta)


def _inside(grid: tuple[int, ...], meta: Mapping[str, Any]) -> tuple[slice, slice]:
    """Return the positions of a grid whose middle lies in the image, not in its padding."""
    rows, columns = (
        slice(0, round(cells * side / whole))
        for cells, side, whole in zip(
            grid, meta["img_shape"][:2], meta["batch_input_shape"], strict=True
        )
    )
    return rows, columns
