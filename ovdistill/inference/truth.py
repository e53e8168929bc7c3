"""The labelled objects of an image, in the form of detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ovdistill.core.masks import decode_mask
from ovdistill.inference.detections import Detections


def read_truth(record: Mapping[str, Any], classes: Sequence[str]) -> Detections:
    """Return the objects of an image as an annotation file has them, each with the score 1.

    Args:
        record: of mmdet's data sets: ``height``, ``width`` and ``instances``, whose ``bbox`` is
            xyxy, absolute pixels of the original image. A crowd, which a detector need not find, is
            named as one.
        classes: the names of the labels.

    Returns:
        The objects; masks are None if none of them has one.
    """
    instances = record["instances"]
    size = (record["height"], record["width"])
    labels = [instance["bbox_label"] for instance in instances]
    names = [classes[label] for label in labels]
    crowds = [" (crowd)" if instance["ignore_flag"] else "" for instance in instances]
    segmentations = [instance.get("mask") for instance in instances]
    masks = np.zeros((len(instances), *size), dtype=bool)
    for mask, segmentation in zip(masks, segmentations, strict=True):
        if segmentation:
            mask[:] = decode_mask(segmentation, size)
    return Detections(
        boxes=np.array([i["bbox"] for i in instances], dtype=np.float32).reshape(-1, 4),
        scores=np.ones(len(instances), dtype=np.float32),
        labels=np.array(labels, dtype=np.int64),
        names=tuple(name + crowd for name, crowd in zip(names, crowds, strict=True)),
        masks=masks if any(segmentations) else None,
    )
