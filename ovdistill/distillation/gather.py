"""Gathers what the distillation terms look at from a batch of mmdet's data samples."""

from __future__ import annotations

import torch
from mmdet.structures import SampleList
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import Captions, DistillRegions
from ovdistill.distillation.overlap import image_iou

# the step of the training pipeline that loads each field of a data sample
LOADERS = dict(
    teacher_regions='dict(type="LoadTeacherRegions", store=...)',
    teacher_caption='dict(type="LoadTeacherCaption", store=...)',
)


def region_rois(samples: SampleList) -> Tensor:
    """Return the distillation regions of a batch as RoIs.

    Args:
        samples: N data samples with ``teacher_regions``.

    Returns:
        (P, 5) float32: image index and xyxy box, absolute pixels of the network input.

    Raises:
        UserError: the pipeline loads no regions.
    """
    _check(samples, "teacher_regions")
    boxes = torch.cat([sample.teacher_regions.bboxes for sample in samples])
    index = _image_index(boxes, [len(sample.teacher_regions) for sample in samples])
    return torch.cat([index[:, None].to(boxes), boxes], dim=1)


def gather_regions(
    samples: SampleList, rois: Tensor, student: Tensor, level: Tensor | None = None
) -> DistillRegions:
    """Collect the distillation regions of a batch.

    Args:
        samples: N data samples with ``teacher_regions`` and ``gt_instances``.
        rois: (P, 5), from ``region_rois``.
        student: (P, D) the student's embeddings of these RoIs.
        level: (P,) int64 the level that each was read from, in a one-stage detector.
    """
    parts = [sample.teacher_regions for sample in samples]
    image_index = rois[:, 0].long()
    labelled = torch.cat([sample.gt_instances.bboxes.float() for sample in samples])
    labelled_index = _image_index(labelled, [len(sample.gt_instances) for sample in samples])
    iou = image_iou(rois[:, 1:], image_index, labelled, labelled_index)
    return DistillRegions(
        student=student,
        teacher=torch.cat([part.embeddings for part in parts]),
        boxes=rois[:, 1:],
        objectness=torch.cat([part.objectness for part in parts]),
        image_index=image_index,
        overlap=iou.amax(dim=1) if len(labelled) else rois.new_zeros(len(rois)),
        level=level,
    )


def gather_captions(samples: SampleList) -> Captions:
    """Collect the captions of a batch.

    Args:
        samples: N data samples with ``teacher_caption`` and ``teacher_phrases``.

    Raises:
        UserError: the pipeline loads no captions.
    """
    _check(samples, "teacher_caption")
    phrases = torch.cat([sample.teacher_phrases.embeddings for sample in samples])
    return Captions(
        embeddings=torch.cat([sample.teacher_caption.embeddings for sample in samples]),
        phrases=phrases,
        phrase_index=_image_index(phrases, [len(sample.teacher_phrases) for sample in samples]),
    )


def _image_index(rows: Tensor, counts: list[int]) -> Tensor:
    """Return the (sum of counts,) int64 image index of each row, on the device of ``rows``."""
    images = torch.arange(len(counts), device=rows.device)
    repeats = torch.tensor(counts, device=rows.device)
    return images.repeat_interleave(repeats, output_size=sum(counts))


def _check(samples: SampleList, field: str) -> None:
    """Raise UserError unless every data sample has a field."""
    if any(field not in sample for sample in samples):
        raise UserError(
            f"a distillation term needs {field}, which the training pipeline does not load. Add "
            f"{LOADERS[field]} before PackOVInputs."
        )
