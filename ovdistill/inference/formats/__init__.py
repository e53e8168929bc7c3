"""Detections in the forms of other programs: one module each, with plain functions.

The methods of ``Detections`` (``to_coco``, ``to_yolo``, ...) write one image; the functions here
write data sets of many.
"""

from ovdistill.inference.formats.coco import write_coco
from ovdistill.inference.formats.yolo import write_yolo

__all__ = ["write_coco", "write_yolo"]
