"""Detections as those of FiftyOne."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ovdistill.core.extras import import_extra
from ovdistill.inference.formats.parts import size_of, whole_pixels

if TYPE_CHECKING:
    import fiftyone

    from ovdistill.inference.detections import Detections


def to_fiftyone(detections: Detections) -> fiftyone.Detections:
    """Return FiftyOne's Detections, a label field of a sample.

    Boxes are xywh in 0..1 of the image. A mask is that part of it which is in the box; its box is
    enlarged to whole pixels, so that both fit.

    Raises:
        UserError: FiftyOne is not installed, or the size of the image is unknown.
    """
    height, width = size_of(detections)
    boxes = detections.boxes.astype(float).clip(0, (width, height) * 2)
    masks: list[np.ndarray | None] = [None] * len(detections)
    if detections.masks is not None:
        boxes = whole_pixels(boxes, (height, width))
        parts = zip(detections.full_masks(), boxes.tolist(), strict=True)
        masks = [mask[y1:y2, x1:x2] for mask, (x1, y1, x2, y2) in parts]
    corners = boxes.reshape(-1, 2, 2) / (width, height)
    relative = np.concatenate([corners[:, 0], corners[:, 1] - corners[:, 0]], axis=1)
    package = import_extra("fiftyone")
    found = [
        package.Detection(label=name, bounding_box=box, confidence=score, mask=mask)
        for name, box, score, mask in zip(
            detections.names, relative.tolist(), detections.scores.tolist(), masks, strict=True
        )
    ]
    return package.Detections(detections=found)
