"""Detections as those of the package supervision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ovdistill.core.extras import import_extra

if TYPE_CHECKING:
    import supervision

    from ovdistill.inference.detections import Detections


NO_TRACK = -1  # supervision's number of an object that has none yet


def to_supervision(detections: Detections) -> supervision.Detections:
    """Return supervision's Detections, for its annotators, trackers and data sets.

    They have ``xyxy``, ``confidence``, ``class_id`` (index into the queries), ``mask`` (in pixels
    of the original image, or None) and ``data["class_name"]``; of a video that was tracked also
    ``tracker_id``, the numbers of ``track_ids``, and -1 for an object that has none yet.

    Raises:
        UserError: supervision is not installed.
    """
    masks = list(detections.full_masks())
    tracks = detections.track_ids
    return import_extra("supervision").Detections(
        xyxy=detections.boxes.astype(np.float32),
        mask=np.stack(masks) if masks else None,
        confidence=detections.scores.astype(np.float32),
        class_id=detections.labels.astype(int),
        tracker_id=None if tracks is None else np.where(tracks > 0, tracks, NO_TRACK),
        data={"class_name": np.array(detections.names, dtype=str)},
    )
