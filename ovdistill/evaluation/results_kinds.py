"""What can be wrong in a file of detections, and what is done about it.

A detection that no evaluator can judge is an error of the system that made it. Leaving it out would
take a false alarm away and so raise the precision, so the whole file is refused. What belongs to
images or categories that the annotation file does not have says nothing about the others; it is
left out and counted.
"""

from __future__ import annotations

from ovdistill.datasets.annotations.report import Effect, Kind

RESULTS_KINDS = {
    "form": Kind(Effect.REFUSED, "records are no objects"),
    "score": Kind(Effect.REFUSED, "detections have no score that is a finite number"),
    "fields": Kind(
        Effect.REFUSED, "detections have not what the first one has (a bbox, a segmentation)"
    ),
    "bbox": Kind(Effect.REFUSED, "detections have a bbox that is not four numbers of pixels"),
    "bbox_size": Kind(Effect.REFUSED, "detections have a bbox of negative width or height"),
    "mask": Kind(Effect.REFUSED, "detections have a segmentation that cannot be used"),
    "image_id": Kind(
        Effect.LEFT_OUT, "detections are of images that the annotation file does not have"
    ),
    "category_id": Kind(
        Effect.LEFT_OUT, "detections are of categories that the annotation file does not have"
    ),
    "polygon": Kind(Effect.LEFT_OUT, "polygons cannot be used: the rest of their masks is kept"),
    "outside": Kind(
        Effect.DOUBTFUL,
        "boxes reach over a pixel beyond their image; expected x, y, width, height, not two "
        "corners",
    ),
    "flat": Kind(Effect.CHANGED, "masks are one flat list of numbers: read as one polygon"),
    "no_area": Kind(Effect.HARMLESS, "boxes have no area: they fit no object"),
}
