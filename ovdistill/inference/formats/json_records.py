"""Detections as values that JSON can hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ovdistill.core.rle import encode_rle

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections


def records(detections: Detections, *, masks: bool = True) -> list[dict[str, Any]]:
    """Return a dict for each detection.

    Args:
        detections: of an image.
        masks: whether to return the masks, if there are any.

    Returns:
        ``name``, ``score``, ``box`` (xyxy, absolute pixels of the original image); where it is
        known, ``track`` (the number of the object in a video) and ``runner_up`` (``name`` and
        ``score``); and, if there are masks, ``mask`` (COCO's compressed RLE, of the original
        image's size).
    """
    result = []
    for one in detections:
        record: dict[str, Any] = {
            "name": one.name,
            "score": round(one.score, 4),
            "box": [round(value, 2) for value in one.box],
        }
        if one.track_id is not None:
            record["track"] = one.track_id
        if one.runner_up is not None:
            name, score = one.runner_up
            record["runner_up"] = {"name": name, "score": round(score, 4)}
        mask = one.mask if masks else None
        if mask is not None:
            record["mask"] = encode_rle(mask)
        result.append(record)
    return result


def to_dict(detections: Detections) -> dict[str, Any]:
    """Return the detections with what they are of.

    Returns:
        ``image`` (the path), ``height``, ``width``, ``queries`` and ``objects`` (see ``records``).
        What is unknown is None.
    """
    height, width = detections.image_size or (None, None)
    return {
        "image": detections.path,
        "height": height,
        "width": width,
        "queries": list(detections.queries),
        "objects": records(detections),
    }


def to_json(detections: Detections) -> str:
    """Return ``to_dict`` as a text."""
    return json.dumps(to_dict(detections), indent=1, allow_nan=False)
