"""Register the embedded benchmark's source of training data and its objective."""

from ovdistill.ovshapes.teacher.objective import GroupContrast
from ovdistill.ovshapes.teacher.source import OVShapesCrops

__all__ = ["GroupContrast", "OVShapesCrops"]
