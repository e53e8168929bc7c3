"""Detections as a task of Label Studio with predictions, to be corrected by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.version import VERSION
from ovdistill.inference.formats.brush_rle import brush_rle
from ovdistill.inference.formats.parts import check_masks, size_of

if TYPE_CHECKING:
    from ovdistill.inference.detection import Detection
    from ovdistill.inference.detections import Detections


def label_studio_task(
    detections: Detections, image_url: str | None = None, *, masks: bool = False
) -> dict[str, Any]:
    """Return a task for one image. A JSON list of such tasks can be imported.

    The project's labelling configuration needs ``<Image name="image" value="$image"/>`` with
    ``<RectangleLabels name="label" toName="image">``, or ``<BrushLabels ...>`` for masks.

    Args:
        detections: n detections.
        image_url: the address by which Label Studio finds the image; by default its path.
        masks: masks instead of boxes.

    Returns:
        A dict of ``data`` and ``predictions``; boxes are in percent of the image.

    Raises:
        UserError: neither address nor path, the size of the image is unknown, or no masks.
    """
    address = image_url or detections.path
    if address is None:
        raise UserError("Label Studio needs to know where the image is: give image_url")
    if masks:
        check_masks(detections)
    size = size_of(detections)
    results = [_result(one, size, masks=masks) | {"id": str(i)} for i, one in enumerate(detections)]
    prediction: dict[str, Any] = {"model_version": f"ovdistill {VERSION}", "result": results}
    if len(detections):
        prediction["score"] = round(float(detections.scores.mean()), 4)
    return {"data": {"image": address}, "predictions": [prediction]}


def _result(one: Detection, size: tuple[int, int], *, masks: bool) -> dict[str, Any]:
    """Return the region of one detection."""
    height, width = size
    kind = "brushlabels" if masks else "rectanglelabels"
    mask = one.mask if masks else None
    shape = _rectangle(one, size) if mask is None else _brush(mask)
    return {
        "type": kind,
        "from_name": "label",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "score": round(one.score, 4),
        "value": shape | {kind: [one.name]},
    }


def _rectangle(one: Detection, size: tuple[int, int]) -> dict[str, Any]:
    """Return a box in percent of the image."""
    percent = 100 * np.array(one.box).reshape(2, 2) / (size[1], size[0])
    (x1, y1), (x2, y2) = percent.clip(0, 100).round(4).tolist()
    return {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1, "rotation": 0}


def _brush(mask: np.ndarray) -> dict[str, Any]:
    """Return a mask, opaque where the object is."""
    return {"format": "rle", "rle": [*brush_rle(mask)]}
